package worker

import (
	"maps"
	"time"

	"candor"
)

// failing counts the calls of the main loop that failed since one was answered.
// Heartbeats carry the whole of it, not what is new: what the brain shows is what
// is so, and ends with the first call that is answered.
type failing struct {
	calls map[string]int // by code; nil: the last one was answered
	since time.Time
	last  string
}

func (f *failing) view(now time.Time) *candor.Failing {
	if f.calls == nil {
		return nil
	}
	return &candor.Failing{Calls: maps.Clone(f.calls), For: candor.Duration(now.Sub(f.since)), Last: f.last}
}

// failedCall counts a call of the main loop that failed.
func (b *board) failedCall(err error, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failing.calls == nil {
		b.failing.calls, b.failing.since = map[string]int{}, now
	}
	b.failing.calls[string(candor.CodeOf(err))]++
	b.failing.last = err.Error()
}

// answeredCall ends the count: the brain reads and answers us again.
func (b *board) answeredCall() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing = failing{}
}

// fails tells whether the last call of the main loop failed.
func (b *board) fails() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failing.calls != nil
}
