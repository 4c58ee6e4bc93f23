package sched

import "candor"

// retry queues failed and cancelled tasks again under their own ids, with a
// fresh budget, and revives what was given up because of them. All of them at
// once can be named for what failed: what was cancelled, somebody wanted so.
func (s *State) retry(req candor.ChangeRequest) (candor.ChangeReply, error) {
	ts, err := s.workTargets(req.Targets, req.Failed, "retried")
	if err != nil {
		return candor.ChangeReply{}, err
	}
	var reply candor.ChangeReply
	if ts = s.spreadRetry(ts, req); len(ts) == 0 {
		reply.Changed = []candor.Changed{{Target: "all", Text: sayRetried("all", 0, 0)}}
	}
	for _, t := range ts {
		b := t.batch
		if b == nil {
			b = t.task.batch()
		}
		if err := notClosing(b); err != nil {
			return candor.ChangeReply{}, err
		}
	}
	for _, t := range ts {
		var picked []*task
		var b *batch
		if t.batch != nil {
			b = t.batch
			for task := range b.eachTask() {
				if retryable(task, req) {
					picked = append(picked, task)
				}
			}
		} else {
			b = t.task.batch()
			if t.task.state == failed || t.task.state == cancelled {
				picked = []*task{t.task}
			}
		}
		kept := ending(t, req)
		ch := candor.Changed{Target: t.text, Batch: b.rec.ID, Tasks: len(picked) + len(kept), Pending: len(kept)}
		if t.task != nil {
			ch.Task = t.task.id
		}
		ch.Text = sayRetried(t.text, len(picked), len(kept))
		reply.Changed = append(reply.Changed, ch)
		if !req.DryRun && ch.Tasks > 0 {
			s.reviveAll(b, picked, kept, req.By)
		}
	}
	return reply, nil
}

// spreadRetry puts in the place of all the batches in which something can be
// retried. Orders about models are left out: the brain gives new ones where they
// are needed.
func (s *State) spreadRetry(ts []target, req candor.ChangeRequest) []target {
	var out []target
	for _, t := range ts {
		if !t.all {
			out = append(out, t)
			continue
		}
		for _, b := range s.order {
			if b.rec.Kind != candor.BatchOrder && anyRetryable(b, req) {
				out = append(out, target{text: b.rec.ID.String(), batch: b})
			}
		}
	}
	return out
}

func anyRetryable(b *batch, req candor.ChangeRequest) bool {
	for t := range b.eachTask() {
		if retryable(t, req) {
			return true
		}
	}
	return false
}

// retryable picks what a retry of a batch is about: what failed or was
// cancelled of itself. What was given up for a failed need follows by itself.
func retryable(t *task, req candor.ChangeRequest) bool {
	if req.Class != "" && t.step.spec.Class != req.Class {
		return false
	}
	switch t.state {
	case failed:
		return true
	case cancelled:
		r := t.reason()
		return !req.Failed && (r == nil || r.Code != candor.ReasonNeedFailed)
	default:
		return false
	}
}

func (s *State) reviveAll(b *batch, picked, kept []*task, by string) {
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventTaskRevived, Batch: b.rec.ID,
		Text: "Batch " + sayRetried(b.rec.ID.String(), len(picked), len(kept)) + byWhom(by),
	})
	b.rec.Cancelled = false
	if !b.rec.ExpiresAt.IsZero() && !s.now.Before(b.rec.ExpiresAt) {
		// It would expire again at once; it gets as long as it had.
		b.rec.ExpiresAt = s.now.Add(b.rec.ExpiresAt.Sub(b.rec.CreatedAt))
	}
	s.touchBatch(b)
	for _, t := range picked {
		s.revive(t)
	}
	for _, t := range kept {
		s.keep(t)
	}
	// What was given up for a failed need waits again, as far as there is hope now.
	for _, st := range b.steps {
		if st.void {
			st.void = false
			s.voidIfHopeless(st)
		}
		for i := range st.tasks {
			if t := &st.tasks[i]; t.state == cancelled && t.reason() != nil && t.reason().Code == candor.ReasonNeedFailed && hopeful(t) {
				s.revive(t)
			}
		}
	}
	for _, st := range b.steps {
		s.consider(st)
	}
}

// hopeful tells whether no need of a task is out of reach.
func hopeful(t *task) bool {
	for i := range t.step.spec.Needs {
		need := &t.step.spec.Needs[i]
		if _, hopeless := needState(t, t.batch().step(need.Step), need); hopeless {
			return false
		}
	}
	return true
}

// revive makes a final task wait again. Its attempts stay on record; the budget
// starts anew.
func (s *State) revive(t *task) {
	s.move(t, blocked)
	t.run = nil
	t.queuedAt = 0
	s.renew(t)
	if t.isOrder() { // it was forgotten when it ended
		s.addOrder(t)
		s.replan()
	}
}

// renew starts a task's budget anew.
func (s *State) renew(t *task) {
	t.tries = t.counted + uint16(1+t.step.spec.Retries)
	if t.past != nil && t.past.shared {
		t.past = nil // it holds nothing but why they all ended
	}
	if p := t.past; p != nil {
		p.reason, p.avoid, p.downed, p.doubt, p.free = nil, nil, nil, false, 0
		p.notBefore = fromMicro(0)
	}
}
