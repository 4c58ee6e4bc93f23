package sched

import (
	"fmt"
	"slices"
	"time"

	"candor"
)

// A worker that is shut out is tried again: after a while it may take one task,
// the next that it could. If that completes, the worker takes tasks as before;
// if not, the task goes elsewhere uncounted, and the wait for the next probe
// doubles. A person may let it in at any time.
const (
	probeFirst = time.Minute
	probeMost  = time.Hour
)

// probes is when a worker that is shut out is tried again. It is not kept over
// restarts of the brain: then the first wait counts from when it was shut out.
type probes struct {
	at   time.Time
	wait time.Duration
	open bool // told to those who hold claims
}

// nextProbe is from when on a worker that is shut out may take a task.
func (w *worker) nextProbe() time.Time {
	if w.probe.at.IsZero() {
		return w.quarantined.At.Add(probeFirst)
	}
	return w.probe.at
}

// probeDue tells whether a worker that is shut out may take a task now.
func (s *State) probeDue(w *worker) bool {
	return w.quarantined != nil && len(w.running) == 0 && !s.now.Before(w.nextProbe())
}

// openProbe has held claims tried again once a probe is due.
func (s *State) openProbe(w *worker) {
	due := s.probeDue(w)
	if due && !w.probe.open {
		s.ready++
		s.replan()
	}
	w.probe.open = due
}

// isProbe tells whether an attempt began after its worker was shut out.
func isProbe(t *task, w *worker) bool {
	return w.quarantined != nil && !t.isOrder() && t.run.started.After(w.quarantined.At)
}

// probeBegins notes that a worker that is shut out has got a task. What becomes
// of it may never be told, so the next wait counts from here.
func (s *State) probeBegins(t *task, w *worker) {
	if w.quarantined == nil || t.isOrder() {
		return
	}
	w.probe.wait = max(w.probe.wait, probeFirst)
	w.probe.at = s.now.Add(w.probe.wait)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventProbe, Worker: w.info.Name, Batch: t.batch().rec.ID, Task: t.id, Lease: t.run.lease,
		Attempt: int(t.attempt), Class: t.step.spec.Class, Reason: candor.ReasonQuarantined,
		Text: fmt.Sprintf("Worker %s is tried with one task, %s (%s): quarantined for %s", w.info.Name, t.id, t.name(), candor.ShortDuration(s.now.Sub(w.quarantined.At))),
	})
}

// probeEnds lets a worker in again whose probe completed, and waits for longer
// after one that did not. A probe that was called off tells nothing.
func (s *State) probeEnds(t *task, w *worker, r *candor.Result) {
	switch r.Outcome {
	case candor.AttemptDone:
		s.trust(t, w)
	case candor.AttemptAborted:
	default:
		w.probe.wait = min(2*max(w.probe.wait, probeFirst), probeMost)
		w.probe.at = s.now.Add(w.probe.wait)
		s.event(&candor.Event{
			Level: candor.LevelWarn, Code: candor.EventProbe, Worker: w.info.Name, Batch: t.batch().rec.ID, Task: t.id,
			Attempt: int(t.attempt), Class: t.step.spec.Class, Reason: candor.ReasonQuarantined,
			Text: fmt.Sprintf("Worker %s stays quarantined: its probe %s (%s) failed, next probe %s", w.info.Name, t.id, t.name(), candor.FormatTime(w.probe.at)),
		})
	}
}

// trust ends a quarantine.
func (s *State) trust(t *task, w *worker) {
	since := s.now.Sub(w.quarantined.At)
	i := s.findPause(candor.Pause{Scope: candor.ScopeQuarantine, Target: w.info.Name})
	if i < 0 {
		return
	}
	// A new list: answers point into the former one.
	s.pauses = slices.Concat(s.pauses[:i], s.pauses[i+1:])
	w.probe = probes{}
	s.replan()
	s.changePauses(candor.EventResumed, fmt.Sprintf("quarantined worker %s takes tasks again after %s: its probe %s (%s) completed",
		w.info.Name, candor.ShortDuration(since), t.id, t.name()))
}

// sayProbe is when a worker that is shut out is tried again.
func (h *Have) sayProbe() string {
	switch {
	case h.Probe:
		return "the next task that it could take is its probe"
	case h.of != nil && len(h.of.running) > 0:
		return "next probe after what it runs"
	default:
		return "next probe " + candor.FormatTime(h.probeAt)
	}
}
