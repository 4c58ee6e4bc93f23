package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// counts tells whether an outcome uses up the retry budget: only the task's own
// fault does.
func counts(o candor.AttemptOutcome) bool {
	switch o {
	case candor.AttemptFailed, candor.AttemptTimeout, candor.AttemptSilent, candor.AttemptPermanent:
		return true
	default:
		return false
	}
}

// failAttempt decides what follows an attempt that did not end well.
func (s *State) failAttempt(t *task, r *candor.Result) {
	counted := counts(r.Outcome)
	if r.Reason == nil {
		r.Reason = candor.NewReason(candor.ReasonUnexplained, fmt.Sprintf("%s reported %s without a reason", t.run.worker, r.Outcome))
	}
	s.archive(t, r, counted)
	w := s.workers[t.run.worker]
	p := t.history()
	if counted {
		t.counted++
	} else {
		p.free++
	}
	switch {
	case r.Outcome == candor.AttemptPermanent:
		s.fail(t, r.Reason, "not worth another try")
	case counted && t.counted >= t.tries:
		s.fail(t, r.Reason, fmt.Sprintf("attempt %d of %d", t.counted, t.tries))
	case int(p.free) >= s.cfg.FreeTries:
		s.fail(t, r.Reason, fmt.Sprintf("%d uncounted attempts, none of them good", p.free))
	case r.Outcome == candor.AttemptAborted || r.Outcome == candor.AttemptLost:
		s.requeue(t, r.Reason)
	default:
		s.tryAgain(t, r, counted)
	}
	if t.isOrder() {
		s.orderFailed(t, w, r)
	}
}

// fail is the end of a task. That of an order is told by orderFailed.
func (s *State) fail(t *task, why *candor.Reason, how string) {
	reason := *why
	reason.Next = t.lookCloser()
	reason.Since = s.now
	t.history().reason = &reason
	s.move(t, failed)
	if !t.isOrder() {
		s.event(&candor.Event{
			Level: candor.LevelWarn, Code: candor.EventTaskFailed, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
			Lease: t.run.lease, Worker: t.run.worker, Class: t.step.spec.Class, Reason: why.Code,
			Text: fmt.Sprintf("Task %s (%s) failed on %s, %s: %s", t.id, t.name(), t.run.worker, how, why.Text),
		})
	}
	s.taskFinal(t)
}

// tryAgain queues a task after an attempt that failed by its own fault, or by
// its own word about the host.
func (s *State) tryAgain(t *task, r *candor.Result, counted bool) {
	p := t.history()
	wait := s.backoff(t, counted)
	where := ""
	if !counted && s.hasOther(t, t.run.worker) {
		if !slices.Contains(p.avoid, t.run.worker) {
			// A new list: shapes and records hold the former one.
			p.avoid = slices.Sorted(slices.Values(append(slices.Clip(p.avoid), t.run.worker)))
		}
		where, wait = ", not on "+strings.Join(p.avoid, ", "), 0
	}
	p.notBefore = fromMicro(0)
	tries := fmt.Sprintf("attempt %d of %d", t.counted+1, t.tries)
	next := "next try now"
	if wait > 0 {
		p.notBefore = s.now.Add(wait)
		next = fmt.Sprintf("next try at %s", candor.FormatTime(p.notBefore))
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskRetry, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Lease: t.run.lease, Worker: t.run.worker, Class: t.step.spec.Class, Reason: r.Reason.Code,
		Text: fmt.Sprintf("Task %s (%s) failed on %s: %s; %s%s (%s)", t.id, t.name(), t.run.worker, r.Reason.Text, next, where, tries),
	})
	p.reason = nil
	if wait > 0 {
		p.reason = candor.NewReason(candor.ReasonBackoff, fmt.Sprintf("%s (%s), last failure: %s", next, tries, r.Reason.Text)).
			With("not_before", candor.FormatTime(p.notBefore)).With("last", string(r.Reason.Code))
		p.reason.Since = s.now
		if m := r.Reason.Mover; !counted && m == candor.MoverOperator {
			p.reason.Mover = m // tried again it is, but that alone mends no host
		}
	}
	t.run = nil
	if where != "" { // not its own fault: it keeps its place
		s.move(t, queued)
		s.enqueue(t)
		return
	}
	s.queue(t)
}

// backoff is how long the next try waits: doubling from the step's own or the
// brain's first value. A step that asks for more than the brain's longest wait
// gets what it asks for.
func (s *State) backoff(t *task, counted bool) time.Duration {
	d := t.step.spec.Backoff.D()
	if d == 0 {
		d = s.cfg.Backoff
	}
	longest := max(d, s.cfg.BackoffMax)
	n := int(t.counted)
	if !counted {
		n = int(t.past.free)
	}
	for i := 1; i < n && d < longest; i++ {
		d *= 2
	}
	return min(d, longest)
}

// hasOther tells whether some other living worker could ever take a task.
func (s *State) hasOther(t *task, name string) bool {
	want := WantOf(t.step.spec, nil)
	for _, w := range s.roster {
		if w.info.Name == name || slices.Contains(t.history().avoid, w.info.Name) || !w.present() {
			continue
		}
		if s.couldEver(&want, w) {
			return true
		}
	}
	return false
}

func (w *worker) present() bool { return w.state != candor.WorkerGone && w.state != candor.WorkerLost }

// couldEver tells whether a worker could take such tasks if it were idle.
func (s *State) couldEver(want *Want, w *worker) bool {
	have := s.have(w)
	_, verdict := Eligible(want, &have, nil)
	return verdict != candor.VerdictNever
}

// requeue puts a task back as if its attempt had not been: it keeps its place
// in the queue, and the attempt is not counted.
func (s *State) requeue(t *task, why *candor.Reason) {
	worker, lease := t.run.worker, t.run.lease
	t.history().notBefore, t.history().reason = fromMicro(0), nil
	t.run = nil
	at := t.queuedAt
	s.move(t, queued)
	t.queuedAt = at
	s.enqueue(t)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskRequeued, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Lease: lease, Worker: worker, Class: t.step.spec.Class, Reason: why.Code,
		Text: fmt.Sprintf("Task %s (%s) requeued, attempt %d not counted: %s", t.id, t.name(), t.attempt, why.Text),
	})
}

// lose ends an attempt whose worker cannot speak for it any more. A death that
// is known as such counts against the task as a possible cause.
func (s *State) lose(t *task, why *candor.Reason, died bool) {
	w := t.run.worker
	abort := t.run.abort
	s.endRun(t)
	r := &candor.Result{Task: t.id, Lease: t.run.lease, Outcome: candor.AttemptLost, Reason: why}
	switch {
	case abort == candor.ReasonCancelled || abort == candor.ReasonExpired:
		s.archive(t, r, false)
		s.cancelProcessing(t, why.Text)
	case died && s.poisonous(t, w):
		s.archive(t, r, false)
		s.setAside(t)
	default:
		s.failAttempt(t, r)
		if died && t.state == queued {
			s.suspect(t, w)
		}
	}
}

// runsTwice names a process that may still run an attempt that was given up.
func (s *State) runsTwice(t *task, w *worker, who string) {
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventRunsTwice, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Lease: t.run.lease, Worker: w.info.Name, Class: t.step.spec.Class,
		Text: fmt.Sprintf("Task %s (%s) may run twice: %s on %s could not be seen dead", t.id, t.name(), who, w.info.Name),
	})
}
