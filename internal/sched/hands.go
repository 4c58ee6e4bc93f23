package sched

import (
	"slices"

	"candor"
)

// take puts a task in the worker's hands.
func (w *worker) take(t *task) {
	w.running = append(w.running, t)
	w.load.add(t.step.spec.Class, 1)
	w.beginLoad(t)
	w.reserved += t.vram()
}

// drop takes a task out of its hands, if it is there.
func (w *worker) drop(t *task) {
	i := slices.Index(w.running, t)
	if i < 0 {
		return
	}
	last := len(w.running) - 1
	w.running[i] = w.running[last]
	w.running[last] = nil
	w.running = w.running[:last]
	w.load.add(t.step.spec.Class, -1)
	w.endLoad(t)
	w.reserved -= t.vram()
	w.unseen = min(w.unseen, w.reserved)
}

// vram is the memory of the card that a task reserves: an llm task uses what its
// model holds.
func (t *task) vram() candor.Bytes {
	if t.step.spec.Class == candor.ClassLLM {
		return 0
	}
	return t.step.spec.VRAM
}

// leaving are the models that have to go from a worker, by an order that only it
// may take: nothing new is begun with them.
func (s *State) leaving(w *worker) []string {
	var names []string
	for _, t := range s.ordersOf(w) {
		names = append(names, leaves(t.step.spec.Order)...)
		if m := w.reloads(t.step.spec.Order); m != nil {
			names = append(names, candor.ModelName(m.Name))
		}
	}
	return names
}

// reloads is a model in memory that a load takes away first, to bring it back
// with a longer context; nil: there is none.
func (w *worker) reloads(o *candor.Order) *candor.ServedModel {
	if o.Kind != candor.OrderLoad || w.view.Serving == nil {
		return nil
	}
	for i := range w.view.Serving.Models {
		if m := &w.view.Serving.Models[i]; candor.ModelName(m.Name) == candor.ModelName(o.Model) && m.Context > 0 && m.Context < o.Context {
			return m
		}
	}
	return nil
}

// evicts tells whether an order takes a model away.
func (t *task) evicts(model string) bool {
	return slices.ContainsFunc(leaves(t.step.spec.Order), func(name string) bool { return candor.ModelName(name) == model })
}

// leaves are the models that an order takes away.
func leaves(o *candor.Order) []string {
	if o.Kind == candor.OrderUnload {
		return append(slices.Clone(o.Evict), o.Model)
	}
	return o.Evict
}
