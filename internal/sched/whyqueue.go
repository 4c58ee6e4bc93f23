package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

type stamp = time.Time

// queuedReason is why a queued task does not run: what holds it back itself,
// else what every worker says, else who goes first.
func (s *State) queuedReason(t *task, out *candor.Explanation) *candor.Reason {
	if t.batch().rec.Cancelled {
		return s.closingReason(t)
	}
	if s.allPause != nil {
		return s.notBeforeQueued(t, pauseReason(candor.ReasonAllPaused, "everything", s.allPause))
	}
	if p := t.batch().pause; p != nil {
		return s.notBeforeQueued(t, pauseReason(candor.ReasonBatchPaused, "batch "+p.Target, p))
	}
	if p := s.classPause[t.step.spec.Class]; p != nil {
		return s.notBeforeQueued(t, pauseReason(candor.ReasonClassPaused, "class "+p.Target, p))
	}
	if r := t.reason(); r != nil && (r.Code == candor.ReasonBackoff || r.Code == candor.ReasonSuspect) {
		return r
	}
	want := s.wantNow(t)
	if r := s.unplaceable(want); r != nil {
		return r
	}
	willing, late := 0, ""
	for _, w := range out.Workers {
		if w.Verdict == candor.VerdictYes {
			switch said := s.sayLate(s.workers[w.Worker]); {
			case willing == 0:
				late = said
			case said == "":
				late = "" // another one asks
			}
			willing++
		}
	}
	if willing == 0 {
		return s.nobodyNow(t, out.Workers)
	}
	ahead := s.ahead(t, out.Workers)
	r := candor.NewReason(candor.ReasonQueueNext, fmt.Sprintf("%s goes first; %s could take it and takes it at the next claim", t.name(), count(willing, "worker")))
	if ahead > 0 {
		r = candor.NewReason(candor.ReasonQueueBehind, fmt.Sprintf("%s waits its turn: %s before it, %s could take it", t.name(), count(ahead, "task"), count(willing, "worker"))).
			With("ahead", ahead)
	}
	r.Text += late
	return s.sayOvertaken(t, r, out.Workers)
}

// notBeforeQueued is a reason that holds a task since the later of its own
// beginning and the task's queueing.
func (s *State) notBeforeQueued(t *task, r *candor.Reason) *candor.Reason {
	if at := s.since(t); at.After(r.Since) {
		r.Since = at
	}
	return r
}

// aheadLimit bounds how far a place in the queue is counted: beyond it nobody
// minds the number, and the count must not cost more the longer the queue is.
const aheadLimit = 10_000

// aheadWorkers bounds how many workers are asked whose tasks they are to share.
const aheadWorkers = 64

// ahead counts the tasks that go before t, up to aheadLimit: of its own shape,
// and of others that a worker who could take t may take instead.
func (s *State) ahead(t *task, workers []candor.WorkerChecks) int {
	n := t.lane.shape.countBefore(t, aheadLimit)
	var able []Have
	for i := range workers {
		if workers[i].Verdict != candor.VerdictNever && len(able) < aheadWorkers {
			able = append(able, s.have(s.workers[workers[i].Worker]))
		}
	}
	for _, sh := range s.shapeList {
		if n >= aheadLimit || sh == t.lane.shape || sh.ready == 0 || !sh.head().before(t) {
			continue
		}
		if slices.ContainsFunc(able, func(h Have) bool { return h.mayTake(&sh.want) }) {
			n += sh.countBefore(t, aheadLimit-n)
		}
	}
	return n
}

// countBefore counts the claimable tasks of a shape that go before t, up to limit.
func (sh *shape) countBefore(t *task, limit int) int {
	n := 0
	for _, l := range sh.lanes {
		n += l.tasks.countBefore(t, limit-n)
	}
	return n
}

// nobodyNow words why no worker takes a task now though some could: the reason
// that most of those who could give.
func (s *State) nobodyNow(t *task, workers []candor.WorkerChecks) *candor.Reason {
	by := map[candor.ReasonCode][]string{}
	var first candor.ReasonCode
	said := map[candor.ReasonCode]*saying{}
	for _, w := range workers {
		if w.Verdict != candor.VerdictNotNow || s.workers[w.Worker].state == candor.WorkerGone {
			continue
		}
		for _, c := range w.Checks {
			if c.OK {
				continue
			}
			by[c.Code] = append(by[c.Code], w.Worker)
			if said[c.Code] == nil {
				said[c.Code] = &saying{}
			}
			said[c.Code].add(w.Worker, c.Actual)
			if first == "" || len(by[c.Code]) > len(by[first]) {
				first = c.Code
			}
			break
		}
	}
	if first == "" {
		return candor.NewReason(candor.ReasonUnexplained, t.name()+" is queued, and no check says why nobody takes it")
	}
	what := t.name()
	if t.isOrder() {
		what = s.sayOrder(t)
	}
	text := what + ": " + said[first].String()
	for _, c := range sortedCodes(by) {
		if c != first {
			text += "; " + said[c].String()
		}
	}
	if first == candor.ReasonModelCold {
		if r := s.coldTask(t, by[first], text); r != nil {
			return r.With("workers", len(by[first])).With("ahead", s.ahead(t, workers))
		}
	}
	ahead := s.ahead(t, workers)
	if first == candor.ReasonBusy {
		text = fmt.Sprintf("%s waits for a free slot: %s; %s before it", what, strings.TrimPrefix(text, what+": "), count(ahead, "task"))
	}
	r := candor.NewReason(first, text).With("workers", len(by[first])).With("ahead", ahead).
		Do(s.remedy(first, candor.ModelName(t.step.spec.Model), by[first][0]))
	switch first {
	case candor.ReasonBusy:
		return s.sayOvertaken(t, r, workers)
	case candor.ReasonVRAMKept:
		return keptFor(r, s.workers[by[first][0]].kept)
	}
	return s.sayKept(t, r)
}

// coldTask says who has a task's model, and of the others why no load was
// ordered for them. The reason is that of most.
func (s *State) coldTask(t *task, cold []string, text string) *candor.Reason {
	l := s.look()
	d := l.demand(candor.ModelName(t.step.spec.Model))
	if d == nil {
		return nil
	}
	said := &saying{}
	why := map[string]*candor.Reason{} // by text
	many := map[candor.ReasonCode]int{}
	for _, name := range cold {
		if r := l.whyNot(d, s.workers[name]); r != nil {
			said.add(name, r.Text)
			many[r.Code]++
			if why[r.Text] == nil {
				why[r.Text] = r
			}
		}
	}
	if len(said.texts) == 0 {
		return nil
	}
	slices.SortStableFunc(said.texts, func(a, b string) int { return many[why[b].Code] - many[why[a].Code] })
	for _, t := range said.texts {
		text += "; "
		if who := strings.Join(said.who[t], ", "); !strings.HasPrefix(t, who+" ") {
			text += who + ": "
		}
		text += t
	}
	top := why[said.texts[0]]
	out := candor.NewReason(top.Code, text).Do(top.Next)
	out.Mover = top.Mover
	return out
}

func sortedCodes[V any](m map[candor.ReasonCode]V) []candor.ReasonCode {
	codes := make([]candor.ReasonCode, 0, len(m))
	for c := range m {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}

// workerReason is the one current reason of a worker.
func (s *State) workerReason(w *worker) candor.Reason {
	if len(w.running) > 0 && w.present() {
		t := w.running[0]
		if r := s.mute(w); r != nil {
			r.Text += fmt.Sprintf("; it holds %s: %s (%s) for %s", count(len(w.running), "task"), t.name(), t.id, candor.ShortDuration(s.now.Sub(t.run.started)))
			return *r
		}
		if r := s.stuckOn(w); r != nil {
			return *r
		}
		r := candor.NewReason(candor.ReasonRunning, fmt.Sprintf("%s runs %s: %s (%s) for %s", w.info.Name, count(len(w.running), "task"), t.name(), t.id, candor.ShortDuration(s.now.Sub(t.run.started))))
		if v := w.view.Serving; t.isOrder() && v != nil && v.Work != nil {
			r.Text += fmt.Sprintf("; %s is under way%s", v.Work.Model, sayWork(s, v.Work))
		}
		switch { // it is busy, and soon will not be
		case w.draining:
			r.Text += fmt.Sprintf("; it is %s: it takes nothing new", sayDrain(w.drain))
		case w.paused != nil:
			r.Text += fmt.Sprintf("; it is %s: it takes nothing new", sayPause(w.paused))
		}
		if thrash := s.thrashesNow(w, r.Text); thrash != nil {
			r = thrash
		}
		r.Since = t.run.started
		return *r
	}
	have := s.have(w)
	r := s.idleReason(w, s.report(s.sharing(w, &have).reading()), s.look)
	switch {
	case r.Since.IsZero() && w.reason != nil && w.reason.Code == r.Code:
		r.Since = w.reason.Since
	case r.Since.IsZero() && (w.idle.IsZero() || !w.present()):
		r.Since = w.seen
	case w.present() && w.idle.After(r.Since): // it worked until then
		r.Since = w.idle
	}
	return *r
}

// preview says of each step which workers could take it.
func (s *State) preview(c PreviewPlan) (candor.Preview, error) {
	if err := c.Sub.Validate(); err != nil {
		return candor.Preview{}, err
	}
	var out candor.Preview
	sizes := map[string]int{}
	for i := range c.Sub.Steps {
		spec := &c.Sub.Steps[i]
		p := candor.PreviewStep{Name: spec.Name, Class: spec.Class, Needs: spec.Needs, Tasks: previewSize(spec, sizes)}
		sizes[spec.Name] = p.Tasks
		out.Tasks += max(p.Tasks, 0)
		want := WantOf(spec, nil)
		for _, w := range s.roster {
			p.Workers = append(p.Workers, s.ask(&want, w, nil))
		}
		sortWilling(p.Workers)
		p.Reason = s.unplaceable(want)
		out.Steps = append(out.Steps, p)
	}
	return out, nil
}

func previewSize(spec *candor.Step, sizes map[string]int) int {
	switch e := spec.Each; {
	case e == nil:
		return 1
	case e.Same != "":
		return sizes[e.Same]
	case e.From != nil:
		return -1
	default:
		return e.Tasks()
	}
}
