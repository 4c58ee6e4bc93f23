package sched

import (
	"candor"
)

// whyWorker explains what a worker does, or why it does nothing.
func (s *State) whyWorker(out *candor.Explanation, w *worker) {
	v := s.workerView(w, s.slotsThere())
	out.Subject, out.Worker = "worker", &v
	tries := s.timers.firstOf()
	for _, sh := range s.shapeList {
		if sh.total() > 0 {
			out.Queue = append(out.Queue, s.shapeViews(sh, w, tries[sh])...)
		}
	}
	out.Reason = s.workerReason(w)
	sayRaces(&out.Reason, v.Races)
}

// shapeViews is what a worker says to the tasks of a shape: to those that can be
// claimed, and to those that are held, which fail at what holds them too.
func (s *State) shapeViews(sh *shape, w *worker, next *task) []candor.ShapeView {
	checks := s.ask(&sh.want, w, sh)
	var out []candor.ShapeView
	add := func(n int, example *task, held ...candor.Check) {
		v := candor.ShapeView{Class: sh.want.Class, Model: sh.want.Model, Needs: sh.want.String(), Queued: n, Checks: checks}
		v.Checks.Checks = append(v.Checks.Checks[:len(checks.Checks):len(checks.Checks)], held...)
		if len(held) > 0 && checks.Verdict == candor.VerdictYes {
			v.Checks.Verdict = candor.VerdictNotNow
		}
		if example != nil {
			v.Example = example.id
		}
		out = append(out, v)
	}
	if sh.ready > 0 {
		add(sh.ready, sh.head())
	}
	if sh.held > 0 {
		add(sh.held, s.firstHeld(sh), candor.Check{
			Code: candor.ReasonBatchPaused, Verdict: candor.VerdictNotNow, Wanted: "a batch that is not paused", Actual: s.pausedBatches([]*shape{sh}).Text,
		})
	}
	if sh.backoff > 0 {
		waits := candor.Check{Code: candor.ReasonBackoff, Verdict: candor.VerdictNotNow, Wanted: "a task whose next try is due", Actual: "not due yet"}
		if next != nil {
			waits.Actual = "the first at " + candor.FormatTime(next.past.notBefore)
		}
		add(sh.backoff, next, waits)
	}
	return out
}

// firstHeld is the first task of a shape in the batch that was paused first.
func (s *State) firstHeld(sh *shape) *task {
	for _, p := range s.pauses {
		b := s.pausedBatch(p)
		if b == nil {
			continue
		}
		for l := range b.eachLane() {
			if l.shape == sh && l.pos < 0 && l.tasks.len() > 0 {
				return l.tasks.first()
			}
		}
	}
	return nil
}
