package sched

import (
	"slices"

	"candor"
)

// Batches leave memory some time after they end. A farm that makes many small
// ones ends many at once: what is due is collected first, then each list is gone
// through once for all of them. Whatever holds a task holds its whole batch, so
// every list that may is among them.

// evict forgets batches that ended a while ago. The changes that ended them
// have been taken, so nothing of them is waiting for a commit.
func (s *State) evict() {
	due := map[*batch]bool{}
	n := 0
	for ; n < len(s.ended); n++ {
		b := s.ended[n]
		if b.rec.State != candor.BatchComplete || s.batches[b.rec.ID] != b {
			continue // it was revived, or has left already
		}
		if s.now.Sub(b.rec.FinishedAt) < s.cfg.Linger || s.now.Sub(b.admitted) < s.cfg.Linger {
			break
		}
		due[b] = true
	}
	s.ended = slices.Delete(s.ended, 0, n)
	if len(due) > 0 {
		s.forget(due)
	}
}

func (s *State) forget(due map[*batch]bool) {
	leaves := func(b *batch) bool { return due[b] }
	ofThem := func(t *task) bool { return due[t.batch()] }
	for b := range due { // the same in any order
		for l := range b.eachLane() {
			l.shape.refs--
		}
		for i, n := range b.counts {
			s.counts[i] -= n
		}
		delete(s.batches, b.rec.ID)
		delete(s.keys, b.rec.Key)
	}
	for _, sh := range s.shapeList {
		if t := sh.last.task; t != nil && ofThem(t) {
			sh.last = taken{}
		}
	}
	s.dropShapes()
	s.order = slices.DeleteFunc(s.order, leaves)
	s.dropOrders(ofThem)
	s.suspects = slices.DeleteFunc(s.suspects, ofThem)
	s.tasks.forget(leaves)
	s.timers.forget(leaves)
}

// roomKept is how many entries a list that is filled again and again keeps room
// for; what one large batch needed is given back.
const roomKept = 1 << 14

// emptied is a list without its entries, which it would keep in memory if it
// were only cut short.
func emptied[T any](list []T) []T {
	if cap(list) > roomKept {
		return nil
	}
	clear(list)
	return list[:0]
}
