package sched

import (
	"cmp"
	"slices"

	"candor"
)

// Placement asks of each worker and model which orders there are, and the claim
// asks it of its worker: so orders are found by worker, and loads counted by host.

// house is what a host's workers share: its disk and bus.
type house struct {
	host    string
	workers int
	loads   []hostLoad // that its workers carry out
}

// moveIn notes on which host a worker is.
func (s *State) moveIn(w *worker) {
	s.moveOut(w)
	h := s.houses[w.info.Host]
	if h == nil {
		h = &house{host: w.info.Host}
		s.houses[h.host] = h
	}
	h.workers++
	w.house = h
	for _, t := range w.running {
		w.beginLoad(t)
	}
}

// moveOut takes a worker from its host, which is forgotten with the last one.
func (s *State) moveOut(w *worker) {
	h := w.house
	if h == nil {
		return
	}
	w.house = nil
	h.loads = slices.DeleteFunc(h.loads, func(l hostLoad) bool { return l.w == w })
	if h.workers--; h.workers == 0 {
		delete(s.houses, h.host)
	}
}

// beginLoad and endLoad note a load that begins or ends on a worker.
func (w *worker) beginLoad(t *task) {
	if t.isOrder() && t.step.spec.Order.Kind == candor.OrderLoad {
		w.house.loads = append(w.house.loads, hostLoad{t, w})
	}
}

func (w *worker) endLoad(t *task) {
	w.house.loads = slices.DeleteFunc(w.house.loads, func(h hostLoad) bool { return h.t == t })
}

// addOrder takes up an order that is new, loaded, or tried once more, and
// dropOrders forgets those that are gone.
func (s *State) addOrder(t *task) {
	s.orders = withOrder(s.orders, t)
	if name := t.step.spec.Requires.Worker; name != "" {
		s.bound[name] = withOrder(s.bound[name], t)
	}
}

// withOrder is a list of orders, the oldest first, with t in its place.
func withOrder(list []*task, t *task) []*task {
	i, there := slices.BinarySearchFunc(list, t, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	if there {
		return list
	}
	return slices.Insert(list, i, t)
}

func (s *State) dropOrders(gone func(*task) bool) {
	s.orders = slices.DeleteFunc(s.orders, func(t *task) bool {
		if !gone(t) {
			return false
		}
		name := t.step.spec.Requires.Worker
		s.bound[name] = slices.DeleteFunc(s.bound[name], func(o *task) bool { return o == t })
		if len(s.bound[name]) == 0 {
			delete(s.bound, name)
		}
		return true
	})
}

// ordersOf are the live orders that only one worker may take or that it carries
// out, the oldest first. The list is not the caller's.
func (s *State) ordersOf(w *worker) []*task {
	list := s.bound[w.info.Name]
	if w.load.Orders == 0 && !slices.ContainsFunc(list, func(t *task) bool { return t.state.final() }) {
		return list
	}
	var live []*task
	for _, t := range list {
		if !t.state.final() {
			live = append(live, t)
		}
	}
	for _, t := range w.running {
		if t.isOrder() && t.state == processing && t.step.spec.Requires.Worker != w.info.Name {
			live = append(live, t)
		}
	}
	slices.SortFunc(live, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	return live
}
