package rows

import (
	"fmt"
	"sync"
	"time"

	"candor"
	"candor/internal/clock"
)

// Kinds of progress.
const (
	kindRow    = "row"    // a row is asked, or has ended
	kindTokens = "tokens" // a piece of an answer came
	kindSlot   = "slot"   // all rows under way wait for the model server
)

// tellEvery is how long pieces of answers go untold: more would be work without
// a reader, less would look stuck.
const tellEvery = 250 * time.Millisecond

// teller makes one account of progress of rows that are under way beside each other.
type teller struct {
	clk clock.Clock
	to  func(candor.Progress)

	mu     sync.Mutex
	done   int64     // guarded by mu
	total  int64     // guarded by mu
	asking int       // guarded by mu: rows that the server has
	tokens int64     // guarded by mu: pieces of answers so far
	told   time.Time // guarded by mu: the last piece that was told
}

func (t *teller) say(kind, note string) {
	t.to(candor.Progress{Done: t.done, Total: t.total, Kind: kind, Note: note, At: t.clk.Now()})
}

// asks notes that the server has one more row; the returned function that it
// has it no more.
func (t *teller) asks() (over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking++
	t.say(kindRow, t.note())
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.asking--
	}
}

// token notes a piece of an answer.
func (t *teller) token() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens++
	if now := t.clk.Now(); now.Sub(t.told) >= tellEvery {
		t.told = now
		t.say(kindTokens, t.note())
	}
}

func (t *teller) note() string {
	if t.total == 1 {
		return fmt.Sprintf("%d tokens so far", t.tokens)
	}
	return fmt.Sprintf("%d of %d rows done, %d under way, %d tokens so far", t.done, t.total, t.asking, t.tokens)
}

// ended notes that a row has its result.
func (t *teller) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	t.say(kindRow, t.note())
}

// waits passes on that a row waits, unless others are at work meanwhile: their
// silence would be hidden by it.
func (t *teller) waits(p candor.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asking > 0 {
		return
	}
	t.say(or(p.Kind, kindSlot), p.Note)
}
