package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"candor"
)

// carried is an order under way. It begins when what is to go is not in use any
// more, as with a real model server.
type carried struct {
	candor.Assignment
	order  candor.Order
	model  int
	before []candor.ServedModel
	since  time.Duration
	begun  bool
	load   time.Duration // when the load itself began
}

func (w *worker) carry(a candor.Assignment, o *candor.Order) error {
	if w.order != nil {
		return fmt.Errorf("%s got a second order: %s %s", w.info.Name, o.Kind, o.Model)
	}
	m := w.f.modelNamed(o.Model)
	if m < 0 || o.Kind == candor.OrderPull {
		return fmt.Errorf("%s got an order that no rule should make: %s %s", w.info.Name, o.Kind, o.Model)
	}
	w.order = &carried{Assignment: a, order: *o, model: m, before: w.served(), since: w.f.now}
	if err := w.carryOn(); err != nil {
		return err
	}
	if w.order == nil {
		return nil
	}
	return w.beat()
}

// goes tells whether the order under way takes a model out of memory.
func (w *worker) goes(m int) bool {
	if w.order == nil {
		return false
	}
	return w.order.order.Kind == candor.OrderUnload && m == w.order.model || slices.Contains(w.order.order.Evict, w.f.in.models[m].name)
}

// carryOn begins the order in hand once nothing runs on what it takes away.
func (w *worker) carryOn() error {
	c := w.order
	if c == nil || c.begun || w.running >= 0 && w.goes(w.f.in.tasks[w.running].model) {
		return nil
	}
	c.begun, c.load = true, w.f.now
	var gone []int
	for m := range w.f.in.models {
		if w.holds(m) && w.goes(m) {
			gone = append(gone, m)
		}
	}
	if c.order.Kind == candor.OrderUnload || w.holds(c.model) {
		for _, m := range gone {
			if err := w.f.unload(w.gpu, m); err != nil {
				return err
			}
		}
		return w.carriedOut(candor.AttemptDone, nil)
	}
	err := w.f.load(w.gpu, c.model, gone, func() error {
		w.lastUse[c.model] = w.f.now
		if err := w.carriedOut(candor.AttemptDone, nil); err != nil {
			return err
		}
		return w.f.tryHeld()
	})
	if errors.Is(err, errNoRoom) {
		return w.carriedOut(candor.AttemptFailed, candor.NewReason(candor.ReasonServerFault, err.Error()))
	}
	return err
}

func (w *worker) carriedOut(o candor.AttemptOutcome, why *candor.Reason) error {
	c := w.order
	w.order = nil
	took := candor.Duration(w.f.now - c.since)
	r := &candor.OrderResult{Before: c.before, After: w.served(), Took: took}
	for _, m := range c.before {
		if !slices.ContainsFunc(r.After, func(a candor.ServedModel) bool { return a.Name == m.Name }) {
			r.Changed = true
			if m.Name != c.order.Model {
				r.Evicted = append(r.Evicted, m.Name)
			}
		}
	}
	if w.holds(c.model) && !slices.ContainsFunc(c.before, func(b candor.ServedModel) bool { return b.Name == c.order.Model }) {
		r.Changed, r.LoadTook = true, candor.Duration(w.f.now-c.load)
	}
	return w.finish(c.Assignment, candor.Result{Outcome: o, Reason: why, Took: took, Order: r})
}

// modelNamed finds a model; -1: there is none.
func (f *farm) modelNamed(name string) int {
	return slices.IndexFunc(f.in.models, func(m model) bool { return m.name == candor.ModelName(name) })
}

// served is what the card holds, as its model server lists it, by name.
func (w *worker) served() []candor.ServedModel {
	out := []candor.ServedModel{}
	for m := range w.f.in.models {
		if !w.holds(m) {
			continue
		}
		spec := &w.f.in.models[m]
		s := candor.ServedModel{Name: spec.name, Size: spec.size, VRAM: spec.size, Ready: !w.goes(m), Token: candor.Duration(w.f.now - w.lastUse[m])}
		if w.running >= 0 && w.f.in.tasks[w.running].model == m {
			s.InUse, s.Token = 1, 0
		}
		out = append(out, s)
	}
	return out
}

// view is what the worker tells of itself.
func (w *worker) view() candor.View {
	card := *w.info.GPU
	card.Free = candor.Bytes(w.f.free(w.gpu))
	v := candor.View{State: candor.WorkerCold, GPU: &card, Serving: &candor.Serving{
		Kind: "ollama", State: candor.ServerUp, Take: take, Slots: slots, Models: w.served(), Managed: true, Simulated: true,
	}}
	if n := len(w.held); n > 0 {
		v.State, v.Model = candor.WorkerHot, w.f.in.models[w.held[n-1]].name
	}
	if c := w.order; c != nil {
		v.State = candor.WorkerLoading
		if c.order.Kind == candor.OrderUnload {
			v.State = candor.WorkerUnloading
		}
		v.Serving.Work = &candor.ModelWork{Kind: c.order.Kind, Model: c.order.Model, For: candor.Duration(w.f.now - c.since)}
	}
	return v
}
