package sched

import (
	"fmt"
	"slices"

	"candor"
)

// why answers for a task, a worker or a batch from what the deciding code recorded or
// would decide now.
func (s *State) why(name string) (candor.Explanation, error) {
	t, err := s.target(name)
	if err != nil {
		return candor.Explanation{}, err
	}
	out := candor.Explanation{Revision: s.revision, At: s.now}
	switch {
	case t.task != nil:
		s.whyTask(&out, t.task)
	case t.worker != nil:
		s.whyWorker(&out, t.worker)
	case t.batch != nil:
		s.whyBatch(&out, t.batch)
	default:
		return out, candor.Errorf(candor.CodeInvalid, "why answers for a task, a worker or a batch, not for %s", t.text)
	}
	return out, nil
}

func (s *State) whyTask(out *candor.Explanation, t *task) {
	v := t.view()
	out.Subject, out.Task = "task", &v
	if t.state == queued {
		want := s.wantNow(t)
		for _, w := range s.roster {
			out.Workers = append(out.Workers, s.ask(&want, w, t.lane.shape))
		}
		sortWilling(out.Workers)
	}
	if t.state == blocked {
		out.Chain = s.chain(t)
	}
	out.Reason = *s.taskReason(t, out)
	if out.Reason.Since.IsZero() {
		out.Reason.Since = s.since(t)
	}
}

// since is when a task came to be where it is.
func (s *State) since(t *task) (at stamp) {
	switch {
	case t.state == queued:
		return fromMicro(t.queuedAt)
	case t.state == processing:
		return t.run.started
	case t.state.final() && t.run != nil:
		return t.run.finished
	default:
		return t.batch().rec.CreatedAt
	}
}

func (s *State) wantNow(t *task) Want {
	var avoid []string
	if t.past != nil {
		avoid = t.past.avoid
	}
	want := WantOf(t.step.spec, avoid)
	want.task = t
	return want
}

// ask puts the question of the claim to one worker, with every check recorded.
// Of a shape that is queued others may have their share first; nil: there is none.
func (s *State) ask(want *Want, w *worker, sh *shape) candor.WorkerChecks {
	have := s.have(w)
	if sh != nil {
		have.share = s.shareOf(w, &have, sh)
	}
	if w.state == candor.WorkerLost {
		have.Silence = s.lostReason(w).Text
	}
	rec := &Recorder{}
	_, verdict := Eligible(want, &have, rec)
	return candor.WorkerChecks{Worker: w.info.Name, Verdict: verdict, Checks: rec.Checks}
}

func sortWilling(list []candor.WorkerChecks) {
	order := map[candor.Verdict]int{candor.VerdictYes: 0, candor.VerdictNotNow: 1, candor.VerdictNever: 2}
	slices.SortStableFunc(list, func(a, b candor.WorkerChecks) int { return order[a.Verdict] - order[b.Verdict] })
}

// taskReason is the one current reason of a task.
func (s *State) taskReason(t *task, out *candor.Explanation) *candor.Reason {
	switch t.state {
	case blocked:
		return s.blockedReason(t)
	case processing:
		return s.runningReason(t)
	case queued:
		return s.queuedReason(t, out)
	case complete:
		return candor.NewReason(candor.ReasonDone, fmt.Sprintf("%s is complete: %s did it in attempt %d", t.name(), worker1(t), t.attempt))
	default:
		if r := t.reason(); r != nil {
			c := *r
			c.Text = fmt.Sprintf("%s is %s: %s", t.name(), stateNames[t.state], r.Text)
			return &c
		}
		return candor.NewReason(candor.ReasonUnexplained, fmt.Sprintf("%s is %s, and nothing says why", t.name(), stateNames[t.state]))
	}
}

func worker1(t *task) string {
	if t.run == nil {
		return "a worker"
	}
	return t.run.worker
}

func (s *State) blockedReason(t *task) *candor.Reason {
	if t.batch().rec.Cancelled {
		return s.closingReason(t)
	}
	for i := range t.step.spec.Needs {
		need := &t.step.spec.Needs[i]
		up := t.batch().step(need.Step)
		if met, _ := needState(t, up, need); met {
			continue
		}
		if !up.expanded {
			return candor.NewReason(candor.ReasonNeedManifest, fmt.Sprintf("%s waits for %s, whose items are not known yet", t.name(), need.Step)).
				With("step", need.Step)
		}
		if need.Each {
			u := &up.tasks[t.index]
			return candor.NewReason(candor.ReasonNeedWaiting, fmt.Sprintf("%s waits for %s (%s), which is %s", t.name(), u.name(), u.id, stateNames[u.state])).
				With("task", u.id.String()).Do("candor why " + u.id.String())
		}
		first := up.firstOpen()
		return candor.NewReason(candor.ReasonNeedWaiting, fmt.Sprintf("%s waits for all of %s: %d of %d are final, next %s (%s), which is %s",
			t.name(), need.Step, up.finals(), len(up.tasks), first.name(), first.id, stateNames[first.state])).
			With("step", need.Step).With("final", up.finals()).With("total", len(up.tasks)).Do("candor why " + first.id.String())
	}
	return candor.NewReason(candor.ReasonUnexplained, t.name()+" is blocked, and every need is met")
}

// firstOpen is the first task of a step that is not final.
func (st *step) firstOpen() *task {
	for i := range st.tasks {
		if !st.tasks[i].state.final() {
			return &st.tasks[i]
		}
	}
	return &st.tasks[0]
}

// chain lists what a blocked task waits for, nearest first.
func (s *State) chain(t *task) []candor.Task {
	var out []candor.Task
	for range 32 {
		next := s.nextNeed(t)
		if next == nil {
			return out
		}
		out = append(out, next.view())
		t = next
	}
	return out
}

func (s *State) nextNeed(t *task) *task {
	for i := range t.step.spec.Needs {
		need := &t.step.spec.Needs[i]
		up := t.batch().step(need.Step)
		if met, _ := needState(t, up, need); met {
			continue
		}
		if need.Each && up.expanded {
			return &up.tasks[t.index]
		}
		if e := up.spec.Each; !up.expanded && e != nil && e.From != nil {
			return &t.batch().step(e.From.Step).tasks[0]
		}
		if len(up.tasks) > 0 {
			return up.firstOpen()
		}
	}
	return nil
}

func (s *State) runningReason(t *task) *candor.Reason {
	r := t.run
	w := s.workers[r.worker]
	switch {
	case r.fencing:
		return candor.NewReason(candor.ReasonFencing, fmt.Sprintf("%s waits until its process on %s is known dead: the worker was silent for %s", t.name(), r.worker, candor.ShortDuration(s.now.Sub(w.seen))))
	case w != nil && w.state == candor.WorkerLost:
		return candor.NewReason(candor.ReasonOffline, fmt.Sprintf("%s is held by %s; it is taken back after %s of silence", t.name(), s.lostReason(w).Text, candor.ShortDuration(s.cfg.Lease))).
			With("lease_ends", candor.FormatTime(w.seen.Add(s.cfg.Lease)))
	case w != nil && !w.frozen.IsZero():
		held := frozenReason(w)
		held.Text = fmt.Sprintf("%s is held by %s; it is taken back after %s of silence, and that was %s so far", t.name(), held.Text,
			candor.ShortDuration(s.cfg.Lease), candor.ShortDuration(s.now.Sub(w.seen)))
		return held.With("lease_ends", candor.FormatTime(w.seen.Add(s.cfg.Lease)))
	case r.progress.Kind == "result":
		return s.unsentReason(t, w)
	case r.abort != "":
		ends := candor.NewReason(candor.ReasonAborting, fmt.Sprintf("%s is being ended on %s: %s", t.name(), r.worker, r.orderedBy()))
		ends.Since = r.abortAt
		return ends
	case s.stuckReason(t) != nil:
		return s.stuckReason(t)
	case r.progress.Kind == "heat" && w != nil && w.hot != nil:
		held := *w.hot
		held.Text = fmt.Sprintf("%s is held before its next row: %s", t.name(), w.hot.Text)
		return &held
	case r.progress.Kind == "slot":
		return candor.NewReason(candor.ReasonSlot, fmt.Sprintf("%s is held by %s: %s", t.name(), r.worker, r.progress.Note))
	default:
		text := fmt.Sprintf("%s runs on %s for %s, attempt %d", t.name(), r.worker, candor.ShortDuration(s.now.Sub(r.started)), t.attempt)
		if seen := s.lastSeen(t); seen != "" {
			text += ": " + seen
		}
		return candor.NewReason(candor.ReasonRunning, text)
	}
}
