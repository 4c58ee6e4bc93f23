package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// orderPriority makes orders go first: whoever waits for a model waits for all
// else that its worker could do before.
const orderPriority = candor.MaxPriority

// wish is an order to be made.
type wish struct {
	candor.Order
	worker string // the only one that may take it; "": any that can
	vram   candor.Bytes
	expiry time.Duration
}

// makeOrder makes a batch of one resource task.
func (s *State) makeOrder(w *wish) *task {
	step := candor.Step{
		Name: string(w.Kind), Class: candor.ClassResource, Priority: orderPriority, VRAM: w.vram,
		Requires: candor.Requires{Worker: w.worker}, Order: &w.Order,
	}
	b := s.newBatch(&candor.Submission{
		Name: string(w.Kind) + " " + w.Model, Expires: candor.Duration(w.expiry), Steps: []candor.Step{step},
	})
	b.rec.Kind = candor.BatchOrder
	st := b.steps[0]
	items, _ := knownItems(st)
	s.expand(st, items)
	t := &st.tasks[0]
	s.addOrder(t)
	s.consider(st)
	return t
}

// adoptOrder takes up an order that was loaded from the store: a new brain must
// not give it a second time.
func (s *State) adoptOrder(b *batch) {
	if b.rec.Kind != candor.BatchOrder || b.rec.State != candor.BatchActive {
		return
	}
	for i := range b.steps[0].tasks {
		s.addOrder(&b.steps[0].tasks[i])
	}
}

// isOrder tells whether a task is an order about a model.
func (t *task) isOrder() bool { return t.step.spec.Order != nil }

// forgetOrders drops orders that have ended.
func (s *State) forgetOrders() {
	s.dropOrders(func(t *task) bool { return t.state.final() })
}

// judgeOrder looks at what an order did. One that changed nothing is no success,
// and stands in nobody's way.
func (s *State) judgeOrder(t *task, r *candor.Result) {
	if !t.isOrder() || r.Outcome != candor.AttemptDone || r.Order == nil || r.Order.Changed || t.step.spec.Order.Kind == candor.OrderPull {
		return
	}
	o := t.step.spec.Order
	r.Outcome = candor.AttemptPermanent
	r.Reason = candor.NewReason(candor.ReasonOrderUnchanged, fmt.Sprintf("%s %s changed nothing on %s: in memory before and after [%s]",
		o.Kind, o.Model, t.run.worker, modelNames(r.Order.After)))
}

func modelNames(models []candor.ServedModel) string {
	var names []string
	for _, m := range models {
		names = append(names, candor.ModelName(m.Name))
	}
	return strings.Join(names, ", ")
}

// orderFailed tells that an order has failed, and keeps its worker from the next
// one for a while. What is tried again by itself has not failed yet.
func (s *State) orderFailed(t *task, w *worker, r *candor.Result) {
	s.replan()
	if t.state != failed {
		return
	}
	o := t.step.spec.Order
	text := fmt.Sprintf("%s %s failed on %s: %s", o.Kind, o.Model, w.info.Name, r.Reason.Text)
	if o.Kind == candor.OrderLoad {
		text += fmt.Sprintf("; not tried there again before %s", candor.FormatTime(s.failedLoad(w, o.Model, r.Reason)))
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventOrderFailed, Batch: t.batch().rec.ID, Task: t.id, Worker: w.info.Name,
		Attempt: int(t.attempt), Lease: r.Lease, Class: candor.ClassResource, Model: o.Model, Took: r.Took, Reason: r.Reason.Code, Text: text,
	})
}

// orderDone tells what an order did, and learns from it.
func (s *State) orderDone(t *task, w *worker, r *candor.Result) {
	o := t.step.spec.Order
	s.replan()
	e := candor.Event{
		Level: candor.LevelInfo, Code: candor.EventModelLoaded, Batch: t.batch().rec.ID, Task: t.id, Worker: w.info.Name,
		Attempt: int(t.attempt), Lease: r.Lease, Class: candor.ClassResource, Model: o.Model, Took: r.Took,
	}
	switch o.Kind {
	case candor.OrderLoad:
		delete(w.fails, o.Model)
		s.swapped(w, o.Model, r.Order)
	case candor.OrderUnload:
		e.Code = candor.EventModelUnloaded
	}
	e.Text = fmt.Sprintf("%s %s done on %s in %s", o.Kind, o.Model, w.info.Name, candor.ShortDuration(r.Took.D()))
	if r.Order != nil {
		e.Text += fmt.Sprintf(": in memory before [%s], after [%s]", modelNames(r.Order.Before), modelNames(r.Order.After))
		if o.Kind == candor.OrderLoad {
			s.loaded(o.Model, max(r.Order.LoadTook.D(), r.Order.Took.D()), r.Order.After)
		}
	}
	s.event(&e)
}

// failure is what is remembered of loads that failed on a worker.
type failure struct {
	times int
	until time.Time
	last  *candor.Reason
}

// failedLoad notes a load that failed, and returns when the next may be tried.
func (s *State) failedLoad(w *worker, model string, why *candor.Reason) time.Time {
	if w.fails == nil {
		w.fails = map[string]*failure{}
	}
	f := w.fails[model]
	if f == nil {
		f = &failure{}
		w.fails[model] = f
	}
	f.times++
	f.last = why
	f.until = s.now.Add(s.cfg.Placement.Retry << min(f.times-1, 6))
	return f.until
}

// orderExpired tells that nobody carried out an order in time, and returns why.
func (s *State) orderExpired(t *task) string {
	o, age := t.step.spec.Order, candor.ShortDuration(s.now.Sub(t.batch().rec.CreatedAt))
	why := "taken by nobody: " + s.refusals(t)
	if t.attempt > 0 && t.past != nil && t.past.last != nil && t.past.last.Reason != nil {
		why = fmt.Sprintf("after %s: %s", count(int(t.attempt), "attempt"), t.past.last.Reason.Text)
	}
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventOrderExpired, Batch: t.batch().rec.ID, Task: t.id, Model: o.Model, Reason: candor.ReasonOrderExpired,
		Text: fmt.Sprintf("%s %s expired after %s, %s", o.Kind, o.Model, age, why),
	})
	return fmt.Sprintf("%s expired after %s, %s", o.Model, age, why)
}

// takeable tells whether some worker could take an order now.
func (s *State) takeable(t *task) bool {
	want := WantOf(t.step.spec, nil)
	want.task = t
	return slices.ContainsFunc(s.roster, func(w *worker) bool {
		have := s.have(w)
		code, _ := Eligible(&want, &have, nil)
		return code == ""
	})
}

// refusals says of each worker why it does not take an order.
func (s *State) refusals(t *task) string {
	want := WantOf(t.step.spec, nil)
	want.task = t
	var parts []string
	for _, w := range s.roster {
		have := s.have(w)
		code, _ := Eligible(&want, &have, nil)
		if code == "" {
			parts = append(parts, w.info.Name+": could take it, and did not ask")
			continue
		}
		parts = append(parts, w.info.Name+": "+refusal(code, &want, &have).Text)
	}
	if len(parts) == 0 {
		return s.noneReason().Text
	}
	return strings.Join(parts, "; ")
}
