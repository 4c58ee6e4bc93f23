package modelhost

import (
	"time"

	"candor/internal/runtime"
)

// A server may work on fewer requests at once than it was said to, and let the
// others wait in a queue of its own: Ollama takes as many as one likes, and
// answers one at a time unless told otherwise. Where it does not say how many it
// bears, it shows: while requests wait, those that it works on overlap so many
// times and no more.

// span is a request that was answered: when it was sent, and when the server
// worked on it, by the server's own measure of how long that took.
type span struct{ sent, begun, ended time.Time }

// waited tells whether the server let it wait for longer than what a busy
// network or machine explains.
func (s span) waited() bool {
	return s.begun.Sub(s.sent) > max(100*time.Millisecond, s.ended.Sub(s.begun)/4)
}

const (
	// overlapSeen is how many answers for each slot are looked at before anything is
	// concluded: those that overlap must all have ended.
	overlapSeen = 4
	// overlapTrust is after how many answers without a wait, all slots in use, one
	// more slot is tried again; twice as many after each time that it was in vain.
	overlapTrust = 64
)

// overlap learns how many requests the server works on at once. Only what was
// sent since the last change of mind counts.
type overlap struct {
	since time.Time
	spans []span
	quiet int // answers without a wait, since then
	trust int // how many of them it takes to try one more
}

// spanOf is an answer in time. Without the server's own measures of reading and
// writing nothing can be told.
func spanOf(a runtime.Answer, ended time.Time) (span, bool) {
	if a.Times.Prompt <= 0 || a.Times.Generate <= 0 {
		return span{}, false
	}
	work := min(a.Times.Prompt+a.Times.Generate, a.Times.Total)
	return span{sent: ended.Add(-a.Times.Total), begun: ended.Add(-work), ended: ended}, true
}

// saw takes an answer in. It returns how many requests the server is now taken
// to work on at once, 0 when nothing has changed.
func (o *overlap) saw(s span, slots, lent int) int {
	if s.sent.Before(o.since) || slots < 1 {
		return 0
	}
	o.trust = max(o.trust, overlapTrust)
	if !s.waited() && lent >= slots {
		o.quiet++
	}
	if o.quiet >= o.trust {
		o.change(s.ended)
		return slots + 1
	}
	o.spans = append(o.spans, s)
	if len(o.spans) < overlapSeen*slots {
		return 0
	}
	o.spans = o.spans[len(o.spans)-overlapSeen*slots:]
	waited := 0
	for _, s := range o.spans {
		if s.waited() {
			waited++
		}
	}
	if n := most(o.spans); n < slots && 2*waited >= len(o.spans) {
		o.change(s.ended)
		o.trust *= 2
		return n
	}
	return 0
}

func (o *overlap) change(at time.Time) { o.since, o.spans, o.quiet = at, nil, 0 }

// most is how many spans overlap at once. Each counts from a little later on:
// the ends are seen here, some milliseconds after the server's own.
func most(spans []span) int {
	top := 0
	for _, s := range spans {
		at, n := begins(s), 0
		for _, other := range spans {
			if !begins(other).After(at) && other.ended.After(at) {
				n++
			}
		}
		top = max(top, n)
	}
	return top
}

func begins(s span) time.Time {
	return s.begun.Add(min(s.ended.Sub(s.begun)/2, 20*time.Millisecond+s.ended.Sub(s.begun)/10))
}

// learnOverlap takes in an answer, and lends fewer slots at once when the server
// works on fewer.
func (h *Host) learnOverlap(l *life, a runtime.Answer) {
	s, ok := spanOf(a, h.o.Clock.Now())
	if !ok {
		return
	}
	h.mu.Lock()
	b := &h.bearing
	if h.life != l || h.o.Slots < 2 || l.identity.Slots > 0 {
		h.mu.Unlock()
		return
	}
	was := b.slots()
	n := b.overlap.saw(s, was, b.lent)
	if n == 0 || n > h.o.Slots {
		h.mu.Unlock()
		return
	}
	b.most, b.bears = n, float64(n)
	h.tell()
	h.mu.Unlock()
	if n < was {
		h.warn("its model server works on %d of %d requests at once and lets the others wait: it gets %d at once from now on (models.parallel is %d)",
			n, was, n, h.o.Slots)
	}
}

// slotsOf is how many requests a server is first taken to answer at once: what
// it says, and no more than was set.
func (h *Host) slotsOf(l *life) int {
	if n := l.identity.Slots; n > 0 {
		return min(n, h.o.Slots)
	}
	return h.o.Slots
}
