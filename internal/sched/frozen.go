package sched

import (
	"fmt"

	"candor"
)

// workerFrozen notes that a supervisor sees a worker's process stopped.
func (s *State) workerFrozen(w *worker) {
	if !w.frozen.IsZero() {
		return
	}
	w.frozen = s.now
	s.round++
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventWorkerStopped, Worker: w.info.Name,
		Text: fmt.Sprintf("Worker %s is stopped, not dead (pid %d, SIGSTOP): kill -CONT %d wakes it", w.info.Name, w.info.PID, w.info.PID),
	})
}

// thawed notes that a worker's process runs again. That nothing moved meanwhile
// is not its tasks' fault.
func (s *State) thawed(w *worker) {
	if w.frozen.IsZero() {
		return
	}
	w.frozen = fromMicro(0)
	s.retries(w) // what it was kept from it may take now
	s.round++
	for _, t := range w.running {
		t.run.moved = s.now
	}
}

// speaks takes a worker's own word for it that its process runs, should its
// supervisor not say so. What was on its way when it was stopped says nothing.
func (s *State) speaks(w *worker) {
	if !w.frozen.IsZero() && s.now.Sub(w.frozen) > s.cfg.Heartbeat && !s.supervised(w) {
		s.thawed(w)
	}
}

// frozenReason is that a worker's process is stopped, and what wakes it.
func frozenReason(w *worker) *candor.Reason {
	r := candor.NewReason(candor.ReasonFrozen, fmt.Sprintf("%s: its process %d is stopped, not dead, since %s",
		w.info.Name, w.info.PID, candor.FormatTime(w.frozen))).With("pid", w.info.PID).Do(fmt.Sprintf("kill -CONT %d", w.info.PID))
	r.Since = w.frozen
	return r
}
