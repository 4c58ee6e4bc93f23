package sched

import (
	"fmt"
	"strconv"

	"candor"
)

// results takes in what a worker finished. The reply is empty when all were
// simply taken, which is the usual case.
func (s *State) results(w *worker, c *Claim) []candor.ResultReply {
	plain := true
	replies := make([]candor.ResultReply, 0, len(c.Req.Results))
	for i := range c.Req.Results {
		r := c.Req.Results[i] // a copy: a command is its sender's
		var verdict candor.ResultVerdict
		var text string
		if t := s.tasks.find(r.Task); t != nil {
			verdict, text = s.result(t, w, &r)
		} else {
			verdict, text = s.resultOfStored(stored(c, r.Task), w, &r)
		}
		plain = plain && verdict == candor.ResultTaken
		replies = append(replies, candor.ResultReply{Task: r.Task, Lease: r.Lease, Verdict: verdict, Text: text})
	}
	if plain {
		return nil
	}
	return replies
}

// result takes in one result, if its lease still speaks for the task. Nothing
// that comes too late is taken or dropped in silence.
func (s *State) result(t *task, w *worker, r *candor.Result) (candor.ResultVerdict, string) {
	switch {
	case r.Lease <= 0: // what never ran has none either
		return s.fenced(w, r, t, fmt.Sprintf("lease %d was never given", r.Lease))
	case t.lastLease() == r.Lease && t.lastWorker() != w.info.Name:
		return s.fenced(w, r, t, fmt.Sprintf("lease %d was given to %s, and %s speaks for nobody else", r.Lease, t.lastWorker(), w.info.Name))
	case t.state == processing && t.run.lease == r.Lease:
		s.finish(t, w, r)
		return candor.ResultTaken, ""
	case t.heard(r.Lease):
		return candor.ResultRepeated, recordedBefore
	case t.state == queued && t.lastLease() == r.Lease && r.Outcome == candor.AttemptDone && missingManifest(t, r) == nil:
		s.late(t, w, r)
		return candor.ResultLate, "its lease was over, but nobody had begun again"
	default:
		return s.fenced(w, r, t, t.fencedBy())
	}
}

const recordedBefore = "recorded before"

// heard tells whether the result of an attempt is on record: its worker sends
// it again when it has not heard so. What the brain itself gave up was not heard.
func (t *task) heard(lease int64) bool {
	if p := t.past; p != nil && p.last != nil && p.last.Lease == lease {
		return p.last.Outcome != candor.AttemptLost
	}
	return t.state == complete && t.run != nil && t.run.lease == lease
}

// lastLease is the lease of the current or last attempt.
func (t *task) lastLease() int64 {
	if t.run != nil {
		return t.run.lease
	}
	if t.past != nil && t.past.last != nil {
		return t.past.last.Lease
	}
	return 0
}

// lastWorker is whose lease that is.
func (t *task) lastWorker() string {
	if t.run != nil {
		return t.run.worker
	}
	if t.past != nil && t.past.last != nil {
		return t.past.last.Worker
	}
	return ""
}

func (t *task) fencedBy() string {
	if t.state == processing {
		return fmt.Sprintf("attempt %d runs on %s under lease %d", t.attempt, t.run.worker, t.run.lease)
	}
	if t.state == queued || t.state == blocked {
		return "the attempt was given up, and the task is " + string(stateNames[t.state]) + " again"
	}
	return "the task is " + string(stateNames[t.state]) + " without it"
}

// unknown notes a result that this brain cannot place: the store is another one.
func (s *State) unknown(w *worker, r *candor.Result) (candor.ResultVerdict, string) {
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventResultFenced, Task: r.Task, Lease: r.Lease, Worker: w.info.Name, Reason: candor.ReasonFenced,
		Text: fmt.Sprintf("Result of %s from %s under lease %d (%s) refused: there is no such task, and this brain never gave that lease", r.Task, w.info.Name, r.Lease, r.Outcome),
	})
	return candor.ResultUnknown, "no such task"
}

func (s *State) fenced(w *worker, r *candor.Result, t *task, why string) (candor.ResultVerdict, string) {
	e := &candor.Event{
		Level: candor.LevelWarn, Code: candor.EventResultFenced, Task: r.Task, Lease: r.Lease, Worker: w.info.Name,
		Reason: candor.ReasonFenced,
		Text:   fmt.Sprintf("Result of %s from %s under lease %d (%s) refused: %s", r.Task, w.info.Name, r.Lease, r.Outcome, why),
	}
	if t != nil {
		e.Batch = t.batch().rec.ID
	}
	s.event(e)
	return candor.ResultFenced, why
}

// late takes the good result of an attempt that was given up, before anybody
// else began.
func (s *State) late(t *task, w *worker, r *candor.Result) {
	s.withdraw(t)
	s.move(t, processing)
	t.run = &run{lease: r.Lease, worker: w.info.Name, started: t.past.last.StartedAt}
	s.leases[r.Lease] = t
	w.take(t)
	s.finish(t, w, r)
}

// finish ends the running attempt of a task by its worker's word.
func (s *State) finish(t *task, w *worker, r *candor.Result) {
	abort := t.run.abort
	s.endRun(t)
	if r.Outcome == candor.AttemptDone {
		if bad := missingManifest(t, r); bad != nil {
			r.Outcome, r.Reason = candor.AttemptPermanent, bad
		}
	}
	s.judgeOrder(t, r)
	if t.isOrder() {
		s.learnHolds(t, w, r)
	}
	if w.quarantined != nil && counts(r.Outcome) && r.Outcome != candor.AttemptPermanent {
		r.Outcome = candor.AttemptBadWorker // it was in hand when the worker was shut out
	}
	w.count(r.Outcome)
	if isProbe(t, w) {
		defer s.probeEnds(t, w, r)
	}
	switch {
	case r.Outcome == candor.AttemptDone:
		s.trialPassed(w)
		s.hostDid(w, t)
		s.ran(t, w)
		if t.isOrder() {
			s.orderDone(t, w, r)
		}
		s.succeed(t, r)
	case abort == candor.ReasonCancelled || abort == candor.ReasonExpired:
		s.archive(t, r, false)
		s.cancelProcessing(t, "its processes are gone")
	default:
		s.failAttempt(t, r)
		s.hostFailed(w, t, r)
		if counts(r.Outcome) && r.Outcome != candor.AttemptPermanent && !t.isOrder() {
			s.trialFailed(w, t)
		}
	}
}

func (w *worker) count(o candor.AttemptOutcome) {
	switch o {
	case candor.AttemptDone:
		w.completed++
	case candor.AttemptAborted, candor.AttemptLost:
	default:
		w.failed++
	}
}

// endRun takes the lease off a task and its worker. The run stays with the task
// for its record until the task moves on.
func (s *State) endRun(t *task) {
	delete(s.leases, t.run.lease)
	t.run.finished = s.now
	if t.isOrder() {
		s.round++
	}
	w := s.workers[t.run.worker]
	if w == nil {
		return
	}
	w.drop(t)
	if len(w.running) == 0 {
		w.idle = s.now
		w.setReason(s.now, candor.NewReason(candor.ReasonIdleClaiming, w.info.Name+" has just finished "+t.name()))
	}
	if t.isOrder() { // others on its host may carry out theirs now
		s.ready++
		return
	}
	s.retries(w) // a slot is free
}

// missingManifest tells what is wrong with a result that should have brought
// the items other steps fan out over, and did not.
func missingManifest(t *task, r *candor.Result) *candor.Reason {
	for _, m := range t.step.manifests {
		items, ok := r.Manifests[m.Key()]
		if !ok {
			return candor.NewReason(candor.ReasonManifestBad, fmt.Sprintf("its result lacks the items of %s", m.Key()))
		}
		if len(items) > candor.MaxItems {
			return candor.NewReason(candor.ReasonManifestLarge, fmt.Sprintf("%s holds %d items; at most %d are allowed", m.Key(), len(items), candor.MaxItems)).
				With("items", len(items)).With("limit", candor.MaxItems)
		}
		if long := tooLong(t, m, items); long != nil {
			return long
		}
	}
	return nil
}

// succeed completes a task and lets its dependants go on.
func (s *State) succeed(t *task, r *candor.Result) {
	if r.Exit != nil || r.Dir != "" || r.Outputs != nil || r.Order != nil || r.Rows != nil {
		t.history().last = t.ended(r, false)
	} else if t.past != nil {
		t.past.last = nil // it told of an earlier attempt, which has a record of its own
	}
	if t.past != nil {
		t.past.reason, t.past.avoid = nil, nil
	}
	s.move(t, complete)
	t.step.compare(r.Outputs, r.Rows)
	t.step.addRows(r.Rows)
	if !t.isOrder() {
		s.recent.add(s.now)
		if w := s.workers[t.run.worker]; w != nil {
			w.recent.add(s.now)
		}
	}
	s.completed(t, r)
	for _, m := range t.step.manifests {
		s.expandFrom(t.step, m, r.Manifests[m.Key()])
	}
	s.taskFinal(t)
}

// completed tells of a completion. It runs for every task, so it builds its text by hand.
func (s *State) completed(t *task, r *candor.Result) {
	took := r.Took
	if took == 0 {
		took = candor.Duration(t.run.finished.Sub(t.run.started))
	}
	b := make([]byte, 0, 96)
	b = append(b, t.run.worker...)
	b = append(b, " completed "...)
	b = append(b, t.step.spec.Class...)
	b = append(b, " task "...)
	b, _ = t.id.AppendText(b)
	b = append(b, " ("...)
	b = append(b, t.name()...)
	b = append(b, ") in "...)
	b = append(b, took.String()...)
	if t.attempt > 1 {
		b = append(b, ", attempt "...)
		b = strconv.AppendInt(b, int64(t.attempt), 10)
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskComplete, Text: string(b), Batch: t.step.batch.rec.ID, Task: t.id,
		Attempt: int(t.attempt), Lease: t.run.lease, Worker: t.run.worker, Class: t.step.spec.Class, Model: t.step.spec.Model, Took: took,
	})
}

// ended is the attempt that just ended, for the record.
func (t *task) ended(r *candor.Result, counted bool) *candor.Attempt {
	return &candor.Attempt{
		Number: int(t.attempt), Worker: t.run.worker, Lease: t.run.lease, StartedAt: t.run.started, FinishedAt: t.run.finished,
		Outcome: r.Outcome, Counted: counted, Exit: r.Exit, Reason: r.Reason, Tail: r.Tail, Dir: r.Dir, Outputs: r.Outputs,
		Order: r.Order, Rows: r.Rows,
	}
}

// archive keeps an attempt that did not complete its task.
func (s *State) archive(t *task, r *candor.Result, counted bool) {
	a := t.ended(r, counted)
	t.history().last = a
	s.changes.Attempts = append(s.changes.Attempts, AttemptRecord{Task: t.id, Batch: t.batch().rec.ID, Attempt: *a})
}
