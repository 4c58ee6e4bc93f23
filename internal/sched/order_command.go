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
		if size := s.sizeOn(req.Model, w); req.Kind == candor.OrderLoad && have.VRAM > 0 && size > have.VRAM {
			return candor.NewReason(candor.ReasonVRAMTotal, fmt.Sprintf("%s takes about %s, the card of %s has %s", req.Model, size, w.info.Name, have.VRAM))
		}
		if code, verdict := Eligible(&want, &have, nil); verdict == candor.VerdictNever {
			return refusal(code, &want, &have)
		}
		if have.Serving == nil {
			return candor.NewReason(candor.ReasonServerGone, w.info.Name+" has no model server")
		}
		return nil
	}
	for _, name := range req.Workers {
		w := s.workers[name]
		if w == nil || w.state == candor.WorkerGone {
			return nil, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no worker %q is here", name), Hint: "candor worker ls"}
		}
		if r := never(w); r != nil {
			return nil, &candor.Error{Code: candor.CodeUnplaceable, Message: r.Text, Hint: "candor why " + name}
		}
	}
	if len(req.Workers) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(req.Workers))), nil
	}
	if req.Kind == candor.OrderUnload {
		return s.holding(req.Model)
	}
	var why []string
	for _, w := range s.roster {
		if w.state == candor.WorkerGone {
			continue
		}
		r := never(w)
		if r == nil {
			return []string{""}, nil
		}
		why = append(why, r.Text)
	}
	if len(why) == 0 {
		return nil, &candor.Error{Code: candor.CodeUnplaceable, Message: "no worker has joined", Hint: "candor up"}
	}
	hint := "candor model ls shows what there is"
	if req.Kind == candor.OrderLoad {
		hint = "candor model pull " + req.Model + " fetches it, if that is what is missing"
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
	for _, t := range s.orders {
		spec := t.step.spec
		if !t.state.final() && spec.Order.Kind == req.Kind && spec.Order.Model == req.Model && (spec.Requires.Worker == name || t.state == processing && t.run.worker == name) {
			o.Already, o.Task, o.Batch = true, t.id, t.batch().rec.ID
			o.Text = fmt.Sprintf("%s %s for %s is under way: %s is %s", req.Kind, req.Model, where, t.id, stateNames[t.state])
			return o
		}
	}
	o.Text = fmt.Sprintf("%s %s ordered for %s", req.Kind, req.Model, where)
	if req.DryRun {
		return o
	}
	t := s.makeOrder(s.personWish(req, name))
	o.Task, o.Batch = t.id, t.batch().rec.ID
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventOrderMade, Batch: o.Batch, Task: t.id, Model: req.Model, Class: candor.ClassResource,
		Text: fmt.Sprintf("%s - inserting %s task for %s", sayAsked(req), req.Kind, where),
	})
	return o
}

func sayAsked(req *candor.OrderRequest) string {
	by := req.By
	if by == "" {
		by = "Somebody"
	}
	return fmt.Sprintf("%s asked for %s", by, req.Model)
}

// personWish makes room for what a person wants on a worker of their choice.
func (s *State) personWish(req *candor.OrderRequest, name string) *wish {
	w := &wish{
		Order:  candor.Order{Kind: req.Kind, Model: req.Model, Context: req.Context, By: req.By, Need: sayAsked(req)},
		worker: name, expiry: req.Expires.D(),
	}
	if w.expiry == 0 {
		w.expiry = s.cfg.Placement.Expiry
	}
	if name != "" && req.Kind == candor.OrderLoad {
		l := s.look()
		w.Evict = l.offer(&demand{model: req.Model, want: &Want{Class: candor.ClassLLM, Model: req.Model}}, s.workers[name]).evict
	}
	return w
}

// modelViews is every model that is wanted, held or could be loaded.
func (s *State) modelViews() []candor.ModelView {
	l := s.look()
	by := map[string]*candor.ModelView{}
	view := func(name string) *candor.ModelView {
		name = candor.ModelName(name)
		if by[name] == nil {
			by[name] = &candor.ModelView{Name: name, Workers: []candor.ModelWorker{}}
			if m := s.models[name]; m != nil {
				by[name].Load, by[name].Run, by[name].VRAM = candor.Duration(m.Load), candor.Duration(m.Run), m.VRAM
			}
		}
		return by[name]
	}
	for _, d := range l.demands {
		v := view(d.model)
		v.Queued, v.Running = d.queued, d.running
	}
	for _, w := range s.roster {
		if w.state == candor.WorkerGone || w.view.Serving == nil {
			continue
		}
		for _, m := range w.view.Serving.Models {
			view(m.Name)
		}
		if w.catalog != nil {
			for _, m := range w.catalog.Models {
				v := view(m.Name)
				v.Size = max(v.Size, m.Size)
			}
		}
	}
	out := make([]candor.ModelView, 0, len(by))
	for _, name := range sortedKeys(by) {
		for _, w := range s.roster {
			if w.state != candor.WorkerGone && w.view.Serving != nil {
				by[name].Workers = append(by[name].Workers, l.modelWorker(name, w))
			}
		}
		out = append(out, *by[name])
	}
	return out
}

// modelWorker is how one worker stands to one model.
func (l *look) modelWorker(name string, w *worker) candor.ModelWorker {
	have := l.s.have(w)
	v := candor.ModelWorker{Worker: w.info.Name, State: "available"}
	if !have.knows(name) {
		v.State = "missing"
	}
	if m := have.model(name); m != nil {
		v.State, v.VRAM, v.InUse, v.Rate = "listed", m.VRAM, m.InUse, m.Rate
		if m.Ready {
			v.State = "ready"
		}
	}
	if t := l.s.ordered(name, w); t != nil {
		v.State, v.Order = "ordered", t.id
	}
	if work := have.Serving.Work; work != nil && candor.ModelName(work.Model) == name {
		switch work.Kind {
		case candor.OrderLoad:
			v.State = "loading"
		case candor.OrderUnload:
			v.State = "unloading"
		}
	}
	if d := l.demand(name); d != nil && !slices.Contains(d.holders, w) {
		rec := &Recorder{}
		l.offer(d, w).ask(rec)
		v.Checks = rec.Checks
	}
	return v
}
