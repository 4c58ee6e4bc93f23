package sched

import (
	"fmt"
	"slices"

	"candor"
)

// elsewhere tells whether two processes of one worker's name share neither the
// lock of a state directory nor a view of each other's processes: what the one
// says of the other's end, it cannot know.
func elsewhere(a, b *candor.WorkerInfo) bool { return a.Host != b.Host || a.Dir != b.Dir }

// namesake refuses a process that comes under the name of a worker that was
// heard of lately from somewhere else: both may be alive, and would take each
// other's tasks in turn.
func (s *State) namesake(w *worker, in *candor.WorkerInfo) error {
	silent := s.now.Sub(w.seen)
	if w.state == candor.WorkerGone || !elsewhere(&w.info, in) || silent >= s.cfg.Lost {
		return nil
	}
	return &candor.Error{
		Code: candor.CodeConflict,
		Message: fmt.Sprintf("%s is a worker already: %s, last heartbeat %s ago",
			in.Name, whereabouts(&w.info, in), candor.ShortDuration(silent)),
		Hint: fmt.Sprintf("give this one another name (--name), or stop the other; one that is dead is given up after %s of silence",
			candor.ShortDuration(s.cfg.Lost)),
		Detail: map[string]any{"host": w.info.Host, "pid": w.info.PID, "dir": w.info.Dir, "last_heartbeat": candor.FormatTime(w.seen)},
	}
}

// whereabouts names a process in the terms in which it differs from another.
func whereabouts(of, from *candor.WorkerInfo) string {
	text := fmt.Sprintf("pid %d on %s", of.PID, of.Host)
	if of.Host == from.Host {
		text += " in " + of.Dir
	}
	return text
}

// leftBehind settles what a worker held in another place, from which nothing was
// heard for long. The new process speaks for its own place only, and nobody asks
// the former one's supervisor any more: the processes may live. Nobody's death is
// known, so none is blamed on a task.
func (s *State) leftBehind(w *worker, req *candor.RegisterRequest) {
	for _, t := range slices.Clone(w.running) {
		if slices.Contains(req.Holds, t.run.lease) {
			continue // its folders came along, with the result
		}
		s.runsTwice(t, w, processOf(t))
		s.lose(t, candor.NewReason(candor.ReasonLeaseExpired, fmt.Sprintf("%s joined from %s; nothing was heard from %s for %s",
			w.info.Name, whereabouts(&req.Info, &w.info), whereabouts(&w.info, &req.Info), candor.ShortDuration(s.now.Sub(w.seen)))), false)
	}
}
