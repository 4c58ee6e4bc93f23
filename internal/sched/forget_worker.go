package sched

import (
	"fmt"
	"slices"
	"time"

	"candor"
)

// Workers that never come back (a cloud machine, a name that was used once) must
// not cost every round and every list for ever. One that is gone or silent for
// Config.Forget and holds nothing is forgotten, here and in the store; should it
// speak again, it is asked to register, as if it were new.

// forgetWorkers forgets those whose time is over, with the pauses that name them.
func (s *State) forgetWorkers() {
	s.hosts.forget(s.now.Add(-s.cfg.Lost))
	due := map[string]time.Duration{}
	for _, w := range s.roster {
		if away := s.awayFor(w); s.cfg.Forget > 0 && away >= s.cfg.Forget && len(w.running) == 0 {
			due[w.info.Name] = away
		}
	}
	for _, t := range s.orders {
		delete(due, t.step.spec.Requires.Worker) // it is to be told why nobody took it
	}
	if len(due) == 0 {
		return
	}
	leaves := func(w *worker) bool { return due[w.info.Name] > 0 }
	for _, w := range s.roster {
		if !leaves(w) {
			continue
		}
		delete(s.workers, w.info.Name)
		s.moveOut(w)
		s.changes.Forgotten = append(s.changes.Forgotten, w.info.Name)
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventWorkerForgotten, Worker: w.info.Name,
			Text: fmt.Sprintf("Worker %s is forgotten: not here for %s", w.info.Name, candor.ShortDuration(due[w.info.Name])),
		})
	}
	s.roster = slices.DeleteFunc(s.roster, leaves)
	s.failing = slices.DeleteFunc(s.failing, leaves)
	s.dropPauses(func(p candor.Pause) string {
		if p.Scope != "worker" && p.Scope != candor.ScopeQuarantine || due[p.Target] == 0 {
			return ""
		}
		return sayDropped(p, "it is forgotten")
	})
}

// awayFor is how long a worker has been gone, or lost; 0 if it is there.
func (s *State) awayFor(w *worker) time.Duration {
	switch w.state {
	case candor.WorkerGone:
		return s.now.Sub(w.left)
	case candor.WorkerLost:
		return s.now.Sub(w.seen)
	default:
		return 0
	}
}

// takeWorkers collects the workers that changed and are still known.
func (s *State) takeWorkers(c *Changes) {
	for _, w := range s.dirtyWorkers {
		w.dirty = false
		if s.workers[w.info.Name] == w {
			c.Workers = append(c.Workers, w.record())
		}
	}
	s.dirtyWorkers = emptied(s.dirtyWorkers)
}

// forget drops supervisors that have not spoken since: they are asked for nothing.
func (h *hosts) forget(since time.Time) {
	for name, seen := range h.seen {
		if !seen.After(since) {
			delete(h.seen, name)
		}
	}
}
