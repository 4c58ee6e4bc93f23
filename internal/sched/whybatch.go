package sched

import (
	"cmp"
	"fmt"
	"slices"

	"candor"
)

// A batch is explained by the groups that its tasks form: those of one step in
// one state for one reason. Tasks with equal requirements wait for the same, so
// that one of them is asked for all, and the answer costs by steps, not tasks.

// whyBatch explains where a batch stands: each group with its reason, those
// first that somebody has to act on.
func (s *State) whyBatch(out *candor.Explanation, b *batch) {
	v := candor.BatchWhy{ID: b.rec.ID, Name: b.rec.Name, State: b.rec.State, Total: b.total(), Counts: b.countMap()}
	for _, st := range b.steps {
		v.Groups = append(v.Groups, s.groupsOf(st)...)
	}
	slices.SortStableFunc(v.Groups, func(a, b candor.WhyGroup) int {
		return cmp.Or(cmp.Compare(urgency(&a), urgency(&b)), cmp.Compare(b.Tasks, a.Tasks))
	})
	out.Subject, out.Batch, out.Reason = "batch", &v, s.batchReason(b, &v)
}

// urgency orders groups: what waits before what runs, and of what waits first
// that which waits for a person. Ended tasks come last, failed ones before.
func urgency(g *candor.WhyGroup) int {
	switch {
	case g.State == candor.TaskProcessing && g.Reason.Code != candor.ReasonStuck:
		return 10
	case g.State == candor.TaskBlocked:
		return 11 // for what is told of the others
	case g.State == candor.TaskFailed:
		return 12
	case g.State.Final():
		return 13
	case g.Reason.Mover == candor.MoverOperator, g.Reason.Mover == candor.MoverYou:
		return 0
	default:
		return 1
	}
}

// batchReason is the one current reason of a batch: that of the first group, and
// of an ended one how it ended.
func (s *State) batchReason(b *batch, v *candor.BatchWhy) candor.Reason {
	counts := sayCounts(b.counts)
	if b.rec.State == candor.BatchComplete {
		r := candor.NewReason(candor.ReasonDone, fmt.Sprintf("%s (%s) has ended: %s", b.rec.ID, b.rec.Name, counts))
		if v.Groups != nil && v.Groups[0].State != candor.TaskComplete {
			g := &v.Groups[0]
			r.Code, r.Mover = g.Reason.Code, g.Reason.Mover
			if g.State == candor.TaskFailed {
				r.Code = candor.ReasonFailedSummary
			}
			r.Text += "; " + g.Reason.Text
			r.Do("candor why " + g.Example.String())
		}
		r.Since = b.rec.FinishedAt
		return *r
	}
	if len(v.Groups) == 0 {
		return candor.Reason{Code: candor.ReasonUnexplained, Mover: candor.MoverOperator, Since: b.rec.CreatedAt,
			Text: fmt.Sprintf("%s (%s) is active and has no tasks", b.rec.ID, b.rec.Name)}
	}
	g := &v.Groups[0]
	r := g.Reason
	r.Text = fmt.Sprintf("%s (%s): %s; %s %s %s: %s", b.rec.ID, b.rec.Name, counts, count(g.Tasks, "task"), yesNo(g.Tasks == 1, "is", "are"), g.State, g.Reason.Text)
	return r
}

// groupsOf are the groups of one step's tasks.
func (s *State) groupsOf(st *step) []candor.WhyGroup {
	var groups []candor.WhyGroup
	note := func(t *task, n int) {
		out := candor.Explanation{}
		s.whyTask(&out, t)
		i := slices.IndexFunc(groups, func(g candor.WhyGroup) bool {
			return g.State == stateNames[t.state] && g.Reason.Code == out.Reason.Code
		})
		if i >= 0 {
			groups[i].Tasks += n
			return
		}
		groups = append(groups, candor.WhyGroup{Step: st.spec.Name, State: stateNames[t.state], Tasks: n, Example: t.id, Reason: out.Reason})
	}
	for _, w := range s.roster {
		for _, t := range w.running {
			if t.step == st {
				note(t, 1)
			}
		}
	}
	s.noteQueued(st, note)
	for _, state := range []state{blocked, failed, cancelled, complete} {
		if n := st.counts[state]; n > 0 {
			note(st.firstIn(state), n)
		}
	}
	return groups
}

// noteQueued notes the tasks that can be claimed by lane, and those whose next
// try waits.
func (s *State) noteQueued(st *step, note func(*task, int)) {
	lanes := slices.Clone(st.extra)
	if st.lane != nil {
		lanes = append([]*lane{st.lane}, lanes...)
	}
	waiting := 0
	for _, l := range lanes {
		if n := l.tasks.len(); n > 0 {
			note(l.tasks.first(), n)
		}
		waiting += l.size - l.tasks.len()
	}
	for i := range st.tasks {
		if waiting == 0 {
			return
		}
		if t := &st.tasks[i]; t.state == queued && t.place == 0 {
			note(t, 1)
			waiting--
		}
	}
}

func (st *step) firstIn(state state) *task {
	for i := range st.tasks {
		if st.tasks[i].state == state {
			return &st.tasks[i]
		}
	}
	return nil
}
