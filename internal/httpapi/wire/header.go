package wire

// Headers of a log's answer.
const (
	HeaderTask    = "Candor-Task"
	HeaderAttempt = "Candor-Attempt"
	HeaderOffset  = "Candor-Offset"  // of the first byte
	HeaderRunning = "Candor-Running" // the attempt had not ended when the answer began
)

// HeaderLastEvent carries the last event a follower has, when it comes back.
const HeaderLastEvent = "Last-Event-ID"

// EventStream is the content type of server-sent events.
const EventStream = "text/event-stream"
