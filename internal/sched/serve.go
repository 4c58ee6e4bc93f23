package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// serverCheck asks whether a worker's model server is in one of the states in
// which it can do nothing. Down has two faces: nobody answers, or somebody does
// and produces nothing.
func serverCheck(code candor.ReasonCode, state candor.ServerState) check {
	is := func(s *candor.Serving) bool {
		hung := s.Code == candor.ReasonServerHung
		return s.State == state && (state != candor.ServerDown || hung == (code == candor.ReasonServerHung))
	}
	wanted := "a model server that answers"
	if code == candor.ReasonServerHung {
		wanted = "a model server that produces tokens"
	}
	return check{
		code: code, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return w.Class == candor.ClassLLM || w.Order != nil },
		ok: func(w *Want, h *Have) bool {
			return h.Serving == nil || !is(h.Serving) || code == candor.ReasonServerOut && w.revives()
		},
		say: func(_ *Want, h *Have) (string, string) {
			if h.Serving == nil {
				return wanted, "none is known"
			}
			text := fmt.Sprintf("its %s is %s", h.Serving.Kind, h.Serving.State)
			if h.Serving.For > 0 {
				text += " for " + candor.ShortDuration(h.Serving.For.D())
			}
			if h.Serving.Text != "" {
				text += ": " + h.Serving.Text
			}
			if h.Serving.Restarts > 0 {
				text += fmt.Sprintf(" (%s so far)", count(h.Serving.Restarts, "restart"))
			}
			return wanted, text
		},
	}
}

// serverlessCheck keeps an order about a model from a worker that has no model
// server. Who has not reported since the brain is there may have one.
var serverlessCheck = check{
	code: candor.ReasonServerGone, verdict: candor.VerdictNever,
	applies: func(w *Want) bool { return w.Order != nil },
	ok:      func(_ *Want, h *Have) bool { return h.Serving != nil || h.of == nil || h.of.view.State == "" },
	say: func(_ *Want, h *Have) (string, string) {
		if h.Serving == nil {
			return "a model server", "has none"
		}
		return "a model server", h.Serving.Kind
	},
}

// byRule is who makes the orders that no person asked for.
const byRule = "candor"

// revives tells whether the task is a person's order to load a model, which has
// a server started again that fell too often.
func (w *Want) revives() bool { return w.loads() && w.Order.By != byRule }

// remedy is the command by which a person ends what a check says, if there is one.
func remedy(code candor.ReasonCode, model, worker string) string {
	switch {
	case code == candor.ReasonServerOut && model != "":
		return "candor model load " + model + " --worker " + worker
	case code == candor.ReasonDraining:
		return "candor worker undrain " + worker
	case code == candor.ReasonWorkerPaused, code == candor.ReasonQuarantined:
		return "candor resume worker:" + worker
	default:
		return ""
	}
}

// loads tells whether the task is an order to load a model.
func (w *Want) loads() bool { return w.Order != nil && w.Order.Kind == candor.OrderLoad }

// inWork: its worker loads or unloads, and has not said what.
func (h *Have) inWork() bool {
	return h.Serving == nil && (h.State == candor.WorkerLoading || h.State == candor.WorkerUnloading)
}

// loading tells whether a load that would serve is under way.
func (h *Have) loading(w *Want) bool {
	if h.Serving == nil {
		return h.inWork()
	}
	work := h.Serving.Work
	if work == nil || work.Kind != candor.OrderLoad {
		return false
	}
	name := candor.ModelName(work.Model)
	if name == w.Model {
		return true
	}
	for _, other := range w.Accept {
		if name == other {
			return true
		}
	}
	return false
}

// done tells whether a worker is already as an order wants it.
func (h *Have) done(o *candor.Order) bool {
	m := h.model(candor.ModelName(o.Model))
	if o.Kind == candor.OrderUnload {
		return m == nil
	}
	for _, name := range o.Evict {
		if h.model(candor.ModelName(name)) != nil {
			return false
		}
	}
	return m != nil && m.Ready && (m.Context == 0 || m.Context >= o.Context)
}

// sayKnown says which models a worker could load.
func sayKnown(w *Want, h *Have) (wanted, actual string) {
	wanted = w.Model
	if w.Order != nil {
		wanted = w.Order.Model
	}
	if h.Catalog == nil {
		return wanted + " on its disk", "not known"
	}
	var names []string
	for _, m := range h.Catalog.Models {
		names = append(names, candor.ModelName(m.Name))
	}
	if len(names) == 0 {
		return wanted + " on its disk", "has no model"
	}
	return wanted + " on its disk", "has " + strings.Join(names, ", ")
}

// sameServing tells whether two accounts of a model server let the same tasks in.
func sameServing(a, b *candor.Serving) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.State != b.State || a.Take != b.Take || a.Slots != b.Slots || (a.Work == nil) != (b.Work == nil) || len(a.Models) != len(b.Models) {
		return false
	}
	for i := range a.Models {
		if x, y := &a.Models[i], &b.Models[i]; x.Name != y.Name || x.Ready != y.Ready || x.Context != y.Context || x.VRAM != y.VRAM {
			return false
		}
	}
	return true
}

// roomier tells whether a card has more memory to give than before.
func roomier(was, now *candor.GPU) bool { return was != nil && now != nil && now.Free > was.Free }

// stillUsed is an attempt there that uses a model which an order wants gone. One
// that needs a longer context than is loaded waits for the order, and not the
// order for it.
func (h *Have) stillUsed(o *candor.Order) *task {
	if h.of == nil {
		return nil
	}
	gone, again := leaves(o), h.of.reloads(o)
	for _, t := range h.of.running {
		if again != nil && t.step.spec.Class == candor.ClassLLM && t.uses(again.Name) && t.step.spec.Context <= again.Context {
			return t
		}
		if t.step.spec.Class == candor.ClassLLM && slices.ContainsFunc(gone, func(name string) bool { return t.uses(name) }) {
			return t
		}
	}
	return nil
}

// uses tells whether a task may be using a model.
func (t *task) uses(name string) bool {
	name = candor.ModelName(name)
	return candor.ModelName(t.step.spec.Model) == name ||
		slices.ContainsFunc(t.step.spec.Accept, func(a string) bool { return candor.ModelName(a) == name })
}
