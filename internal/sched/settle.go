package sched

import (
	"fmt"
	"strings"

	"candor"
)

// needState tells whether a task's need is met, or can never be.
func needState(t *task, up *step, need *candor.Need) (met, hopeless bool) {
	if need.Each && up.expanded {
		u := &up.tasks[t.index]
		switch {
		case u.state == complete, need.AllowFailed && u.state.final():
			return true, false
		default:
			return false, u.state.final()
		}
	}
	if !up.settled() {
		return false, false
	}
	if up.good() || need.AllowFailed {
		return true, false
	}
	return false, true
}

// review moves a blocked task on: into the queue when its needs are met, out
// when one of them can never be.
func (s *State) review(t *task) {
	if t.state != blocked {
		return
	}
	if b := t.batch(); b.rec.Cancelled {
		if b.closing == nil {
			s.closeAgain(b)
		}
		return
	}
	all := true
	for i := range t.step.spec.Needs {
		need := &t.step.spec.Needs[i]
		met, hopeless := needState(t, t.batch().step(need.Step), need)
		if hopeless {
			s.cancelTask(t, s.needFailed(t, need))
			return
		}
		all = all && met
	}
	if all {
		s.queue(t)
	}
}

// queue moves a task into the queue as of now.
func (s *State) queue(t *task) {
	s.move(t, queued)
	t.queuedAt = micro(s.now)
	s.enqueue(t)
}

// consider reviews all tasks of a step, in order.
func (s *State) consider(st *step) {
	if !st.expanded {
		s.voidIfHopeless(st)
	}
	for i := range st.tasks {
		s.review(&st.tasks[i])
	}
	if st.settled() {
		s.stepSettled(st)
	}
}

// taskFinal tells everybody who waits for it that a task is final.
func (s *State) taskFinal(t *task) {
	for _, e := range t.step.dependants {
		if e.need.Each && e.to.expanded {
			s.review(&e.to.tasks[t.index])
		}
	}
	if t.step.settled() {
		s.stepSettled(t.step)
	}
	s.settleBatch(t.batch())
}

// stepSettled releases, or closes, what waits for a whole step.
func (s *State) stepSettled(st *step) {
	s.flagRows(st)
	s.flagIdentical(st)
	for _, e := range st.dependants {
		if !e.to.expanded {
			s.voidIfHopeless(e.to)
		}
		if !e.need.Each || st.void {
			for i := range e.to.tasks {
				s.review(&e.to.tasks[i])
			}
		}
	}
	for _, o := range st.batch.late {
		s.voidIfHopeless(o)
	}
}

// voidIfHopeless closes a step whose items will never be known, because the
// task that should have named them did not complete.
func (s *State) voidIfHopeless(st *step) {
	e := st.spec.Each
	if st.expanded || st.void || e == nil {
		return
	}
	var up *step
	switch {
	case e.From != nil:
		up = st.batch.step(e.From.Step)
	case e.Same != "":
		up = st.batch.step(e.Same)
	default:
		return
	}
	if up.void || (up.settled() && !up.good() && e.From != nil) {
		st.void = true
		s.stepSettled(st)
		s.settleBatch(st.batch)
	}
}

// settleBatch ends a batch when every task is final.
func (s *State) settleBatch(b *batch) {
	if b.rec.State == candor.BatchComplete || !b.settled() {
		return
	}
	b.rec.State, b.rec.Outcome, b.rec.FinishedAt = candor.BatchComplete, b.outcome(), s.now
	s.ended = append(s.ended, b)
	s.touchBatch(b)
	if b.pause != nil {
		s.dropPauses(func(p candor.Pause) string { return b.dropsPause(p, "it ended") })
	}
	if b.rec.Kind == candor.BatchOrder {
		return // what became of it was told with its task
	}
	level := candor.LevelInfo
	if b.rec.Outcome == candor.OutcomeFailed {
		level = candor.LevelWarn
	}
	took := candor.Duration(s.now.Sub(b.rec.CreatedAt))
	s.event(&candor.Event{
		Level: level, Code: candor.EventBatchComplete, Batch: b.rec.ID, Took: took,
		Text: fmt.Sprintf("Batch %s (%s) ended after %s: %s", b.rec.ID, b.rec.Name, took, sayCounts(b.counts)),
	})
}

// reopen brings an ended batch back to life when one of its tasks is revived.
func (s *State) reopen(b *batch) {
	if b.rec.State != candor.BatchComplete {
		return
	}
	b.rec.State, b.rec.Outcome, b.rec.Cancelled = candor.BatchActive, candor.OutcomeNone, false
	b.rec.FinishedAt = fromMicro(0)
	s.touchBatch(b)
}

// needFailed is why a task whose need can never be met is cancelled: the root
// of the trouble by name, with its last error.
func (s *State) needFailed(t *task, need *candor.Need) *candor.Reason {
	up := t.batch().step(need.Step)
	if up.void { // not kept with it: it speaks of a task of another step
		return blameVoid(up)
	}
	if need.Each && up.expanded {
		return blame(up, &up.tasks[t.index], false)
	}
	if up.blame == nil { // once for all that wait for the step
		up.blame = blame(up, up.culprit(), true)
	}
	return up.blame
}

// blameVoid puts into words why a step has no items that others wait for: of what
// should have named them, what became of it.
func blameVoid(up *step) *candor.Reason {
	name := up.spec.Each.Same // its items are another step's
	if m := up.spec.Each.From; m != nil {
		name = m.Step
	}
	from := up.batch.step(name)
	if from.void {
		return blameVoid(from)
	}
	r := blame(from, from.culprit(), false)
	r.Text += "; so " + up.spec.Name + " never got its items"
	return r.With("step", up.spec.Name)
}

// blame puts into words why a step's dependants cannot run.
func blame(up *step, culprit *task, whole bool) *candor.Reason {
	if culprit == nil {
		return candor.NewReason(candor.ReasonNeedFailed, "blocked by "+up.spec.Name+", which has no task that failed").
			With("step", up.spec.Name)
	}
	if r := culprit.reason(); r != nil && r.Code == candor.ReasonNeedFailed {
		// Name the root, not the link of the chain.
		return candor.NewReason(candor.ReasonNeedFailed, r.Text).With("task", r.Operands["task"]).Do(r.Next)
	}
	text := fmt.Sprintf("blocked by %s %s (%s)", stateNames[culprit.state], culprit.name(), culprit.id)
	if r := culprit.reason(); r != nil {
		text += ": " + r.Text
	}
	if n := up.counts[failed]; whole && n > 1 {
		text += fmt.Sprintf("; %d of %d of %s failed", n, len(up.tasks), up.spec.Name)
	}
	return candor.NewReason(candor.ReasonNeedFailed, text).With("task", culprit.id.String()).
		Do("candor retry " + culprit.id.String())
}

// culprit is the first task of a step that failed, or else was cancelled.
func (st *step) culprit() *task {
	var second *task
	for i := range st.tasks {
		switch t := &st.tasks[i]; t.state {
		case failed:
			return t
		case cancelled:
			if second == nil {
				second = t
			}
		}
	}
	return second
}

// sayCounts is how many tasks are in which state: 120 complete, 5 failed.
func sayCounts(counts [stateCount]int) string {
	var parts []string
	for _, st := range []state{complete, failed, cancelled, processing, queued, blocked} {
		if n := counts[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, stateNames[st]))
		}
	}
	if len(parts) == 0 {
		return "0 items"
	}
	return strings.Join(parts, ", ")
}
