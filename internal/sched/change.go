package sched

import (
	"fmt"

	"candor"
)

// cancel ends batches and tasks. What waits is cancelled now; what runs is
// ordered to end and is cancelled when its worker says that nothing is left.
func (s *State) cancel(req candor.ChangeRequest) (candor.ChangeReply, error) {
	ts, err := s.workTargets(req.Targets, true, "cancelled")
	if err != nil {
		return candor.ChangeReply{}, err
	}
	var reply candor.ChangeReply
	for _, t := range ts {
		switch {
		case t.batch != nil:
			reply.Changed = append(reply.Changed, s.cancelOne(t.batch, req))
		case t.task != nil:
			reply.Changed = append(reply.Changed, s.cancelTaskOne(t.task, req))
		case t.all:
			for _, b := range s.order {
				if b.rec.State == candor.BatchActive {
					reply.Changed = append(reply.Changed, s.cancelOne(b, req))
				}
			}
		}
	}
	return reply, nil
}

func (s *State) cancelOne(b *batch, req candor.ChangeRequest) candor.Changed {
	ch := candor.Changed{Target: b.rec.ID.String(), Batch: b.rec.ID, Tasks: b.open(), Pending: b.counts[processing]}
	ch.Text = fmt.Sprintf("%s: %s cancelled, %d of them running and being ended", ch.Target, count(ch.Tasks, "task"), ch.Pending)
	if b.rec.State == candor.BatchComplete {
		ch.Text = fmt.Sprintf("%s has ended already (%s)", ch.Target, b.rec.Outcome)
		return ch
	}
	if req.DryRun {
		return ch
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventBatchCancelled, Batch: b.rec.ID,
		Text: fmt.Sprintf("Batch %s (%s) cancelled%s%s: %s", b.rec.ID, b.rec.Name, byWhom(req.By), because(req.Why), sayCounts(b.counts)),
	})
	s.closeBatch(b, candor.ReasonCancelled, s.sayCancelled(&req))
	ch.Pending = b.open()
	return ch
}

func (s *State) cancelTaskOne(t *task, req candor.ChangeRequest) candor.Changed {
	ch := candor.Changed{Target: t.id.String(), Batch: t.batch().rec.ID, Task: t.id}
	if t.state.final() {
		ch.Text = fmt.Sprintf("%s (%s) is %s already", t.id, t.name(), stateNames[t.state])
		return ch
	}
	ch.Tasks = 1
	ch.Text = fmt.Sprintf("%s (%s) cancelled", t.id, t.name())
	if t.state == processing {
		ch.Pending = 1
		ch.Text = fmt.Sprintf("%s (%s) is being ended on %s", t.id, t.name(), t.run.worker)
	}
	if req.DryRun {
		return ch
	}
	why := s.sayCancelled(&req)
	if t.state == processing {
		s.abort(t, candor.ReasonCancelled, why)
	} else {
		s.cancelTask(t, candor.NewReason(candor.ReasonCancelled, why))
	}
	return ch
}

// sayCancelled is who cancelled, when, and why. The time is in it, since what runs
// is cancelled only when nothing of it is left.
func (s *State) sayCancelled(req *candor.ChangeRequest) string {
	return "cancelled" + byWhom(req.By) + " at " + candor.FormatTime(s.now) + because(req.Why)
}

// cancelWaiting cancels a task that does not run, and nothing else.
func (s *State) cancelWaiting(t *task, why *candor.Reason) {
	if t.state == queued {
		s.withdraw(t)
	}
	s.move(t, cancelled)
	why = cloneReason(why)
	why.Since = s.now
	t.history().reason = why
	t.run = &run{finished: s.now}
}

// cancelTask cancels a task that does not run, and what waits for it.
func (s *State) cancelTask(t *task, why *candor.Reason) {
	s.cancelWaiting(t, why)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskCancelled, Batch: t.batch().rec.ID, Task: t.id, Class: t.step.spec.Class,
		Reason: why.Code, Text: fmt.Sprintf("Task %s (%s) cancelled: %s", t.id, t.name(), why.Text),
	})
	s.taskFinal(t)
}

// cancelProcessing cancels a task whose attempt has ended on order: who gave it,
// when, and how the attempt ended.
func (s *State) cancelProcessing(t *task, how string) {
	why := candor.NewReason(t.run.abort, fmt.Sprintf("%s while it ran on %s; %s", t.run.orderedBy(), t.run.worker, how))
	why.Since = s.now
	t.history().reason = why
	s.move(t, cancelled)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskCancelled, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Worker: t.run.worker, Lease: t.run.lease, Class: t.step.spec.Class, Reason: why.Code,
		Text: fmt.Sprintf("Task %s (%s) cancelled on %s: %s", t.id, t.name(), t.run.worker, why.Text),
	})
	s.taskFinal(t)
}

// orderedBy is who ordered an attempt to end, when, and why, as far as that is known.
func (r *run) orderedBy() string {
	switch {
	case r.abortText != "":
		return r.abortText
	case r.abort == candor.ReasonExpired:
		return batchExpired
	default:
		return "cancelled"
	}
}

// abort orders a running attempt to end.
func (s *State) abort(t *task, code candor.ReasonCode, text string) {
	if t.run.abort != "" {
		return
	}
	t.run.abort, t.run.abortText, t.run.abortAt = code, text, s.now
	s.touch(t)
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskAborting, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Worker: t.run.worker, Lease: t.run.lease, Class: t.step.spec.Class, Reason: code,
		Text: fmt.Sprintf("Task %s (%s) is being ended on %s: %s", t.id, t.name(), t.run.worker, text),
	})
}

// tellings are what a worker has to be told now.
func (s *State) tellings(w *worker) candor.HeartbeatReply {
	reply := candor.HeartbeatReply{Draining: w.draining, Paused: w.paused != nil, Tell: w.programs == nil}
	if w.hot != nil {
		reply.Cool = w.hot.Text
	}
	for _, t := range w.running {
		if t.run.abort != "" {
			t.run.abortSent = true
			reply.Abort = append(reply.Abort, candor.AbortOrder{Lease: t.run.lease, Reason: t.run.abort, Text: t.run.abortText})
		}
	}
	reply.Void = w.unnamed()
	w.told = w.mood()
	return reply
}

func (w *worker) mood() string { return fmt.Sprint(w.draining, w.paused != nil, w.hot != nil) }

// Urgent tells whether a worker has an order that it was not told yet, so that
// a held heartbeat must be answered now.
func (s *State) Urgent(name string) bool {
	w := s.workers[name]
	if w == nil || w.told != w.mood() {
		return true
	}
	for _, t := range w.running {
		if t.run.abort != "" && !t.run.abortSent {
			return true
		}
	}
	return false
}

// Orders answers a held heartbeat.
func (s *State) Orders(name string) candor.HeartbeatReply {
	if w := s.workers[name]; w != nil {
		return s.tellings(w)
	}
	return candor.HeartbeatReply{}
}

// HostOrders answers a supervisor's held report.
func (s *State) HostOrders(supervisor string) candor.HostReply { return s.hostOrders(supervisor) }

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

func cloneReason(r *candor.Reason) *candor.Reason {
	c := *r
	return &c
}
