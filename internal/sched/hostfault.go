package sched

import (
	"fmt"
	"time"

	"candor"
)

// ill counts the faults of a worker's own host that cost attempts, since the host
// last did what failed. One may pass; from the second on the worker is named.
type ill struct {
	faults  int
	since   time.Time
	last    string
	outputs bool // the last one was about outputs, not about a start
}

// illAfter is how many such faults name a worker.
const illAfter = 2

// hostFailed notes that an attempt failed by its worker's host.
func (s *State) hostFailed(w *worker, t *task, r *candor.Result) {
	if r.Reason == nil || r.Reason.Code != candor.ReasonHostFault {
		return
	}
	if w.ill.faults++; w.ill.faults == 1 {
		w.ill.since = s.now
	}
	w.ill.last, w.ill.outputs = r.Reason.Text, r.Exit != nil
	if w.ill.faults != illAfter {
		return
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventHostFault, Worker: w.info.Name, Batch: t.batch().rec.ID, Task: t.id,
		Reason: candor.ReasonHostFault, Text: "Worker " + s.illReason(w).Text,
	})
}

// hostDid notes that a worker's host did what it may have failed to do before.
func (s *State) hostDid(w *worker, t *task) {
	if !w.ill.outputs || len(t.step.spec.Outputs) > 0 {
		w.ill = ill{}
	}
}

// illReason is that a worker's own host fails the attempts on it, or nil.
func (s *State) illReason(w *worker) *candor.Reason {
	if w.ill.faults < illAfter {
		return nil
	}
	r := candor.NewReason(candor.ReasonHostFault, fmt.Sprintf("%s: its host failed %s since %s; the last: %s",
		w.info.Name, count(w.ill.faults, "attempt"), candor.FormatTime(w.ill.since), w.ill.last)).With("faults", w.ill.faults)
	r.Since = w.ill.since
	return r
}
