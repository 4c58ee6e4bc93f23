package sched

import (
	"fmt"
	"slices"
	"time"

	"candor"
)

// Room on a card. A task that needs much of a card would wait for ever behind
// small ones: each that ends frees room for another small one only. So when the
// first in rank on a card does not fit there, and nothing like it has begun for
// keepAfter, room is kept for it: what comes after it and would take from that
// room is refused (see ReasonVRAMKept in checks), until enough has ended. On one
// card only: there where least has to end for it.
//
// One task in keepAfter gets its room that way, not each one at once: small
// ones fill a card better, and a queue of both is to get through soonest.

const (
	keepAfter = 30 * time.Second // without a start of its kind, before room is kept for a task
	keepEvery = time.Second      // between two looks
	// keepGrace is how long room is kept on a card on which all that stood in the
	// way has ended, and which still has not enough: a model may be leaving, and
	// the card's own account may be old. Then somebody else holds it.
	keepGrace = time.Minute
	// keepAsks bounds a look: kinds of tasks by the thousand on workers by the
	// thousand are looked at in order of rank as far as it goes.
	keepAsks = 1 << 18
)

// kept is room on a worker's card that is kept for a task.
type kept struct {
	task    *task
	need    candor.Bytes
	since   time.Time
	drained time.Time // since when nothing is left there that ran before
}

// live tells whether the task still waits for a worker.
func (k *kept) live() bool {
	t := k.task
	return t.state == queued && t.place != 0 && t.lane != nil && t.lane.pos >= 0
}

// older is the memory that comes free by the end of what ran before room was kept.
func (w *worker) older(since time.Time) candor.Bytes {
	var sum candor.Bytes
	for _, t := range w.running {
		if t.run.started.Before(since) {
			sum += t.vram()
		}
	}
	return sum
}

// keptRoom notes in h for whom room is kept, and how much may be used beside it.
func (w *worker) keptRoom(h *Have) {
	if k := w.kept; k != nil && k.live() {
		h.Kept, h.Beside = k, h.Free+w.older(k.since)-k.need
	}
}

// leaves tells whether a want may use the card though room is kept there: it is
// of a task that goes before, or there is enough for both.
func (k *kept) leaves(w *Want, h *Have) bool {
	t := w.task
	if t == nil && w.shape != nil && w.shape.ready > 0 {
		t = w.shape.head()
	}
	if t != nil && !k.task.before(t) {
		return true
	}
	return w.VRAM-h.makesRoom(w.Order) <= h.Beside
}

func (k *kept) String() string {
	return fmt.Sprintf("%s kept for task %s (%s), which goes first, since %s", k.need, k.task.id, k.task.name(), candor.FormatTime(k.since))
}

// keptFor adds to a reason whom room is kept for.
func keptFor(r *candor.Reason, k *kept) *candor.Reason {
	return r.With("kept_for", k.task.id.String()).With("kept_since", candor.FormatTime(k.since)).Do("candor why " + k.task.id.String())
}

// unkeep ends the keeping of room for a task that begins. Where it was kept,
// others may be let in.
func (s *State) unkeep(t *task) {
	s.keeps = slices.DeleteFunc(s.keeps, func(w *worker) bool {
		if w.kept.task != t {
			return false
		}
		w.kept = nil
		s.ready++
		return true
	})
}

// sayKept adds to why a task waits where room is kept for it.
func (s *State) sayKept(t *task, r *candor.Reason) *candor.Reason {
	for _, w := range s.keeps {
		if w.kept.task != t {
			continue
		}
		r.Text += fmt.Sprintf("; room is kept for it on %s since %s", w.info.Name, candor.FormatTime(w.kept.since))
		r.With("kept_on", w.info.Name).With("kept_since", candor.FormatTime(w.kept.since))
	}
	return r
}
