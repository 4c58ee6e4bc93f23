package brain

// Window is how many events are kept for followers.
const Window = window

// Waiting is how many commands the loop has not taken up yet.
func (b *Brain) Waiting() int { return len(b.inbox) }
