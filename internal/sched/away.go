package sched

import "time"

// away moves on everything that silence is measured from: who could not be
// heard was not silent. What waits for an instant of its own (back-off, expiry)
// waits for that instant.
func (s *State) away(d time.Duration) {
	for _, w := range s.roster {
		if w.seen.IsZero() {
			continue // the brain has just started: the first tick sees to it
		}
		w.seen, w.asked, w.due = s.latest(w.seen, d), s.latest(w.asked, d), w.due.Add(d)
		for _, t := range w.running {
			t.run.moved = s.latest(t.run.moved, d)
			if !t.run.ended.IsZero() {
				t.run.ended = s.latest(t.run.ended, d)
			}
		}
	}
	for name, seen := range s.hosts.seen {
		s.hosts.seen[name] = s.latest(seen, d)
	}
}

// latest is t moved on by d, but never beyond now.
func (s *State) latest(t time.Time, d time.Duration) time.Time {
	if t = t.Add(d); t.After(s.now) {
		return s.now
	}
	return t
}
