package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// orderModel makes the orders that a person asks for. All of them, or none.
func (s *State) orderModel(req candor.OrderRequest) (candor.OrderReply, error) {
	req.Model = candor.ModelName(req.Model)
	if err := checkOrder(&req); err != nil {
		return candor.OrderReply{}, err
	}
	workers, err := s.orderTargets(&req)
	if err != nil {
		return candor.OrderReply{}, err
	}
	var reply candor.OrderReply
	for _, name := range workers {
		reply.Orders = append(reply.Orders, s.orderOne(&req, name))
	}
	s.replan()
	return reply, nil
}

func checkOrder(req *candor.OrderRequest) error {
	switch {
	case req.Kind != candor.OrderLoad && req.Kind != candor.OrderUnload && req.Kind != candor.OrderPull:
		return candor.Errorf(candor.CodeInvalid, "%q is no order: load_llm, unload_llm or pull_llm", req.Kind)
	case req.Model == "" || len(req.Model) > candor.MaxText || strings.ContainsAny(req.Model, "\n\r\x00"):
		return candor.Errorf(candor.CodeInvalid, "%q is no name of a model: one line of 1 to %d bytes", req.Model, candor.MaxText)
	case req.Context < 0 || req.Expires < 0:
		return candor.Errorf(candor.CodeInvalid, "a context or an expiry is not negative")
	}
	return nil
}

// orderTargets are the workers that each get an order of their own; "" is
// whoever takes it. A named worker that could never carry it out is refused.
func (s *State) orderTargets(req *candor.OrderRequest) ([]string, error) {
	want := Want{Class: candor.ClassResource, Order: &candor.Order{Kind: req.Kind, Model: req.Model, Context: req.Context}}
	never := func(w *worker) *candor.Reason {
		have := s.have(w)
		if code, verdict := Eligible(&want, &have, nil); verdict == candor.VerdictNever {
			return refusal(code, &want, &have)
		}
		return nil
	}
	for _, name := range req.Workers {
		w := s.workers[name]
		if w == nil || w.state == candor.WorkerGone {
			return nil, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no worker %q is here", name), Hint: "candor worker ls"}
		}
		if r := never(w); r != nil {
			hint := "candor why " + name
			if near := s.nearestModel(req.Model); near != "" && r.Code == candor.ReasonModelMissing {
				hint = "did you mean " + near + "?"
			}
			return nil, &candor.Error{Code: candor.CodeUnplaceable, Message: r.Text, Hint: hint}
		}
	}
	if len(req.Workers) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(req.Workers))), nil
	}
	if req.Kind == candor.OrderUnload {
		return s.holding(req.Model)
	}
	var why []string
	missing := false
	for _, w := range s.roster {
		if w.state == candor.WorkerGone {
			continue
		}
		r := never(w)
		if r == nil {
			return []string{""}, nil
		}
		why = append(why, r.Text)
		missing = missing || r.Code == candor.ReasonModelMissing
	}
	if len(why) == 0 {
		none := s.noneReason()
		return nil, &candor.Error{Code: candor.CodeUnplaceable, Message: none.Text, Hint: none.Next}
	}
	hint := "candor model ls shows what there is"
	near := s.nearestModel(req.Model)
	switch {
	case missing && near != "":
		hint = "did you mean " + near + "? candor model ls shows what there is"
	case missing && req.Kind == candor.OrderLoad:
		hint = "candor model pull " + req.Model + " fetches it where it is missing"
	}
	return nil, &candor.Error{Code: candor.CodeUnplaceable, Message: fmt.Sprintf("%s %s fits on 0 of %s: %s", req.Kind, req.Model, count(len(why), "worker"), strings.Join(why, "; ")), Hint: hint}
}

// holding are the workers that have a model in memory.
func (s *State) holding(model string) ([]string, error) {
	var names []string
	for _, w := range s.roster {
		have := s.have(w)
		if w.present() && have.model(model) != nil {
			names = append(names, w.info.Name)
		}
	}
	if len(names) == 0 {
		return nil, &candor.Error{Code: candor.CodeNotFound, Message: model + " is loaded on no worker", Hint: "candor model ls"}
	}
	return names, nil
}

func (s *State) orderOne(req *candor.OrderRequest, name string) candor.Ordered {
	o := candor.Ordered{Worker: name}
	where := "whoever takes it first"
	if name != "" {
		where = name
		have := s.have(s.workers[name])
		if have.done(&candor.Order{Kind: req.Kind, Model: req.Model, Context: req.Context}) && req.Kind != candor.OrderPull {
			o.Already, o.Text = true, fmt.Sprintf("%s is that way already: %s", name, have.loaded())
			return o
		}
	}
	if name == "" && s.everywhere(req) {
		o.Already, o.Text = true, fmt.Sprintf("every worker that could take %s %s is that way already", req.Kind, req.Model)
		return o
	}
	for _, t := range s.orders {
		if t.sameOrder(req, name) {
			o.Already, o.Task, o.Batch = true, t.id, t.batch().rec.ID
			o.Text = fmt.Sprintf("%s %s for %s is under way: %s is %s", req.Kind, req.Model, where, t.id, stateNames[t.state])
			return o
		}
	}
	w := s.personWish(req, name)
	if o.Worker = w.worker; name == "" && w.worker != "" {
		where = w.worker
	}
	if len(w.Evict) > 0 {
		where += ", in place of " + strings.Join(w.Evict, ", ")
	}
	o.Text = fmt.Sprintf("%s %s ordered for %s", req.Kind, req.Model, where)
	if req.DryRun {
		return o
	}
	t := s.makeOrder(w)
	o.Task, o.Batch = t.id, t.batch().rec.ID
	if !s.takeable(t) {
		o.Text += "; nobody can take it now: " + s.refusals(t)
	}
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventOrderMade, Batch: o.Batch, Task: t.id, Model: req.Model, Class: candor.ClassResource,
		Text: fmt.Sprintf("%s - inserting %s task for %s", sayAsked(req), req.Kind, where),
	})
	return o
}

// everywhere tells whether nobody is left for whom an order would change
// something.
func (s *State) everywhere(req *candor.OrderRequest) bool {
	if req.Kind == candor.OrderPull {
		return false
	}
	want := Want{Class: candor.ClassResource, Order: &candor.Order{Kind: req.Kind, Model: req.Model, Context: req.Context}}
	return !slices.ContainsFunc(s.roster, func(w *worker) bool {
		have := s.have(w)
		_, verdict := Eligible(&want, &have, nil)
		return w.state != candor.WorkerGone && (have.Serving != nil || w.view.State == "") && verdict != candor.VerdictNever && !have.done(want.Order)
	})
}

// sameOrder tells whether a live order is what a person asks for once more.
// Anywhere is also where another person wanted it.
func (t *task) sameOrder(req *candor.OrderRequest, name string) bool {
	spec := t.step.spec
	if t.state.final() || spec.Order.Kind != req.Kind || spec.Order.Model != req.Model {
		return false
	}
	return spec.Requires.Worker == name || t.state == processing && t.run.worker == name || name == "" && spec.Order.By != byRule
}

func sayAsked(req *candor.OrderRequest) string {
	by := req.By
	if by == "" {
		by = "Somebody"
	}
	return fmt.Sprintf("%s asked for %s", by, req.Model)
}

// personWish is what a person wants, with the room that has to be made for it. A
// load for whoever takes it goes where nothing has to go for it, else where only
// what nobody wants has to.
func (s *State) personWish(req *candor.OrderRequest, name string) *wish {
	w := &wish{
		Order:  candor.Order{Kind: req.Kind, Model: req.Model, Context: req.Context, By: req.By, Need: sayAsked(req)},
		worker: name, expiry: req.Expires.D(),
	}
	if w.expiry == 0 {
		w.expiry = s.cfg.Placement.Expiry
	}
	if req.Kind != candor.OrderLoad {
		return w
	}
	l := s.look()
	d := &demand{model: req.Model, context: req.Context, want: &Want{Class: candor.ClassLLM, Model: req.Model}}
	var o *offer
	if name != "" {
		o = l.offer(d, s.workers[name])
	} else if o = l.freest(d); o != nil && len(o.evict) > 0 {
		w.worker = o.w.info.Name
	}
	if o != nil {
		w.Evict, w.vram = o.evict, o.have.cardNeed(req.Model)
		return w
	}
	for _, other := range s.roster { // nobody now: whoever has room first
		have := s.have(other)
		if need := have.cardNeed(req.Model); need > 0 && (w.vram == 0 || need < w.vram) {
			w.vram = need
		}
	}
	return w
}

// freest is the offer of the worker who could load a model now and would lose
// least; nil: none could, or it would have to drop what others wait for.
func (l *look) freest(d *demand) *offer {
	var top *offer
	for _, w := range l.s.roster {
		o := l.offer(d, w)
		if code, _ := o.able(nil); code == "" && o.room && len(o.needed) == 0 && (top == nil || o.before(top)) {
			top = o
		}
	}
	return top
}
