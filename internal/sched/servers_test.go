package sched

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// simServer is the model server beside a worker: what is true of its memory,
// whatever the brain believes.
type simServer struct {
	state    candor.ServerState
	attached bool         // it outlives its worker, and others may use it
	card     candor.Bytes // 0: it holds models in main memory
	most     int          // models at once; 0: as many as fit
	models   []candor.ServedModel
	restarts int
}

// modelSizes are those of the models that there are.
var modelSizes = map[string]candor.Bytes{"m": 2 * candor.GiB, "other": 3 * candor.GiB}

func catalog() *candor.Catalog {
	c := &candor.Catalog{}
	for _, name := range sortedKeys(modelSizes) {
		c.Models = append(c.Models, candor.CatalogModel{Name: name, Size: modelSizes[name]})
	}
	return c
}

// sees is what a worker reports of itself.
func (w *world) sees(k *simWorker) candor.View {
	v := k.view
	if k.server == nil {
		return v
	}
	v.Serving = &candor.Serving{
		Kind: "ollama", URL: "http://127.0.0.1:1", State: k.server.state, Managed: !k.server.attached,
		Restarts: k.server.restarts, Take: 2, Most: k.server.most, Models: slices.Clone(k.server.models),
	}
	if k.server.state != candor.ServerUp {
		v.Serving.Take, v.Serving.Models = 0, nil
	}
	for _, lease := range w.leasesOf(k) {
		if p := w.procs[lease]; p.order != nil && !p.orphan {
			v.Serving.Work = &candor.ModelWork{Kind: p.order.Kind, Model: p.order.Model}
		}
	}
	return v
}

// obey carries out an order, or fails as a server does: a load that does not fit
// has evicted by then. What a living attempt uses must not go.
func (w *world) obey(k *simWorker, o *candor.Order) (*candor.OrderResult, *candor.Reason) {
	if k.server == nil || k.server.state != candor.ServerUp {
		return nil, candor.NewReason(candor.ReasonServerGone, "no server answers")
	}
	before := slices.Clone(k.server.models)
	for _, name := range o.Evict {
		w.drop(k, name, o)
	}
	var failed *candor.Reason
	switch o.Kind {
	case candor.OrderUnload:
		w.drop(k, o.Model, o)
	case candor.OrderLoad:
		failed = w.load(k, o)
	}
	after := slices.Clone(k.server.models)
	return &candor.OrderResult{Before: before, After: after, Changed: !slices.Equal(before, after)}, failed
}

func (w *world) load(k *simWorker, o *candor.Order) *candor.Reason {
	s, size := k.server, modelSizes[o.Model]
	if size == 0 {
		return candor.NewReason(candor.ReasonModelMissing, "there is no "+o.Model)
	}
	if at := indexModel(s.models, o.Model); at >= 0 {
		if m := &s.models[at]; m.Context >= o.Context {
			m.Ready = true
			return nil
		}
		w.drop(k, o.Model, o)
	}
	var used candor.Bytes
	for _, m := range s.models {
		used += m.VRAM
	}
	if s.card > 0 && used+size > s.card || s.most > 0 && len(s.models) >= s.most {
		return candor.NewReason(candor.ReasonVRAMHeld, o.Model+" does not fit")
	}
	m := candor.ServedModel{Name: o.Model, Context: max(o.Context, 4096), Size: size, Ready: true}
	if s.card > 0 {
		m.VRAM = size
	}
	s.models = append(s.models, m)
	return nil
}

func indexModel(models []candor.ServedModel, name string) int {
	return slices.IndexFunc(models, func(m candor.ServedModel) bool { return m.Name == name })
}

// drop takes a model out of a server's memory for an order. It is the law that
// no order does so under an attempt that the brain holds for alive.
func (w *world) drop(k *simWorker, name string, o *candor.Order) {
	for lease, p := range w.procs {
		t := w.s.leases[lease]
		if p.worker == k && p.uses == name && !p.orphan && t != nil && t.run.abort == "" {
			w.t.Fatalf("%s %s takes %s from %s, where %s uses it under lease %d", o.Kind, o.Model, name, k.info.Name, t.name(), lease)
		}
	}
	k.server.models = slices.DeleteFunc(k.server.models, func(m candor.ServedModel) bool { return m.Name == name })
}

// serves is the model that an attempt works with on a worker: its own, or one
// that it accepts, but none that an order in the worker's hands takes away.
func (w *world) serves(k *simWorker, step *candor.Step) string {
	if k.server == nil || step.Class != candor.ClassLLM {
		return ""
	}
	var leaving []string
	for _, lease := range w.leasesOf(k) {
		if o := w.procs[lease].order; o != nil {
			leaving = append(leaving, leaves(o)...)
			if at := indexModel(k.server.models, o.Model); at >= 0 && k.server.models[at].Context < o.Context {
				leaving = append(leaving, o.Model)
			}
		}
	}
	for _, name := range append([]string{step.Model}, step.Accept...) {
		if indexModel(k.server.models, name) >= 0 && !slices.Contains(leaving, name) {
			return name
		}
	}
	return ""
}

// serverActs is what happens to a model server that no order did.
func (w *world) serverActs(k *simWorker) {
	s := k.server
	if s == nil {
		return
	}
	switch rapid.IntRange(0, 5).Draw(w.t, "server") {
	case 0: // it died, and was started again
		s.models, s.state = nil, candor.ServerUp
		s.restarts++
	case 1:
		s.models, s.state = nil, rapid.SampledFrom([]candor.ServerState{candor.ServerDown, candor.ServerOut, candor.ServerStranger, candor.ServerStarting}).Draw(w.t, "state")
	case 2: // a model lost its process, or fell silent
		for i := range s.models {
			s.models[i].Ready, s.models[i].Doubt = false, "no token"
		}
	case 3: // somebody else loads what fits
		_ = w.load(k, &candor.Order{Kind: candor.OrderLoad, Model: rapid.SampledFrom([]string{"m", "other"}).Draw(w.t, "loaded")})
	default:
		s.state = candor.ServerUp
	}
}

// orderModel is a person's order.
func (w *world) orderModel() {
	req := candor.OrderRequest{
		By: "ann", Kind: rapid.SampledFrom([]candor.OrderKind{candor.OrderLoad, candor.OrderLoad, candor.OrderUnload, candor.OrderPull}).Draw(w.t, "order"),
		Model:   rapid.SampledFrom([]string{"m", "other", "nosuch"}).Draw(w.t, "model"),
		Workers: rapid.SampledFrom([][]string{nil, nil, {"w1"}, {"w2"}, {"w1", "w2"}, {"w9"}}).Draw(w.t, "for"),
		DryRun:  rapid.IntRange(0, 5).Draw(w.t, "dry") == 0,
	}
	w.do(OrderModel{req}, nil)
}

// configure changes the rules while all goes on.
func (w *world) configure() {
	c := &w.cfg
	c.Placement.MaxHot = rapid.IntRange(0, 1).Draw(w.t, "max hot")
	c.Placement.Off = rapid.IntRange(0, 3).Draw(w.t, "off") == 0
	c.Placement.IdleUnload = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(w.t, "idle unload")
	w.do(Configure{w.cfg}, nil)
}

// sleep is a time in which the brain did not run, and knows it.
func (w *world) sleep() {
	w.commit()
	slept := rapid.SampledFrom([]time.Duration{time.Second, 15 * time.Second, 5 * time.Minute}).Draw(w.t, "slept")
	w.now = w.now.Add(slept)
	w.do(Away{slept}, nil)
	w.do(Tick{}, nil)
}

// heal makes every server well, sees to it that there are some, and lets the
// rules place models again.
func (w *world) heal() {
	w.cfg.Placement.MaxHot, w.cfg.Placement.Off = 0, false
	w.do(Configure{w.cfg}, nil)
	for _, k := range w.workers[:2] {
		k.server = &simServer{state: candor.ServerUp, card: 80 * candor.GiB}
	}
}
