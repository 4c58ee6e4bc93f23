package sched

import (
	"fmt"
	"slices"

	"candor"
)

// leave is a worker's last word: what it still held is over by its own word.
func (s *State) leave(name string, req candor.LeaveRequest) error {
	w, err := s.alive(name, req.Session)
	if err != nil {
		return err
	}
	how := "left (" + req.Why + ")"
	level, text := candor.LevelInfo, fmt.Sprintf("Worker %s left: %s - completed %s, failed %d",
		name, req.Why, count(req.Completed, "task"), req.Failed)
	if req.Crash != "" {
		how = "crashed (" + req.Crash + ")"
		level, text = candor.LevelError, fmt.Sprintf("Worker %s crashed: %s - completed %s, failed %d",
			name, req.Crash, count(req.Completed, "task"), req.Failed)
	}
	s.event(&candor.Event{Level: level, Code: candor.EventWorkerLeft, Worker: name, Text: text})
	if req.Crash != "" {
		s.died()
	}
	s.gone(w, how)
	for _, t := range slices.Clone(w.running) {
		s.lose(t, candor.NewReason(candor.ReasonShutdown, name+" left before it was done"), req.Crash != "")
	}
	return nil
}

// gone takes a worker out of the game until it registers again. It gets a
// session that nobody speaks for, so that its former one is fenced. how is what
// was seen of its end.
func (s *State) gone(w *worker, how string) {
	s.round++
	w.state, w.session, w.left = candor.WorkerGone, s.meta.NextSession, s.now
	s.meta.NextSession++
	w.departure, w.frozen, w.failing = departure{how: how, at: s.now}, fromMicro(0), nil
	w.setReason(s.now, s.goneReason(w))
	s.touchWorker(w)
}
