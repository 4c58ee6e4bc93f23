package sched

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"candor"
)

// placeEvery bounds how often placement is looked at while nothing asks for it:
// what wears on by itself (waiting, back-offs) is not in a hurry.
const placeEvery = 500 * time.Millisecond

// place decides which worker is to hold which model, and orders it. Its work is
// by models and workers, never by tasks.
//
// The aim is that all work ends soonest. A model that nobody serves comes first,
// the longest work before the shorter; then whoever has nothing to do helps
// where the work lasts longest, if that ends it sooner than loading takes. Who
// holds a model with work keeps it, unless others have waited for longer than
// may be.
func (s *State) place() {
	if len(s.orders) == 0 && !s.wantsModels() && s.cfg.Placement.IdleUnload <= 0 {
		clear(s.expected)
		clear(s.served)
		return
	}
	if !s.placeAt.IsZero() && s.now.Sub(s.placeAt) < placeEvery {
		return
	}
	s.placeAt = s.now
	s.forgetOrders()
	l := s.look()
	l.noteServed()
	if !s.cfg.Placement.Off {
		l.loads()
		l.makeRoom()
	}
	l.expect()
}

// wantsModels tells whether a task waits for a model, or a script for memory
// that a model may hold.
func (s *State) wantsModels() bool {
	return slices.ContainsFunc(s.shapeList, func(sh *shape) bool {
		return sh.ready+sh.backoff > 0 && (sh.want.Class == candor.ClassLLM || sh.want.VRAM > 0)
	})
}

// look is one look at who holds what and what is wanted. It is made for a
// decision or an explanation, and thrown away.
type look struct {
	s       *State
	haves   map[*worker]*Have
	demands []*demand
	loaded  bool              // some worker has a model, or is at work with one
	spoken  map[*worker]*task // an order for anybody is as good as theirs

	// Loads by host: those that count against it, and those that hang.
	hosts, hung map[string][]hostLoad
}

func (s *State) look() *look {
	l := &look{
		s: s, haves: make(map[*worker]*Have, len(s.roster)), spoken: map[*worker]*task{},
		hosts: map[string][]hostLoad{}, hung: map[string][]hostLoad{},
	}
	for _, w := range s.roster {
		h := l.see(w)
		l.loaded = l.loaded || w.present() && (len(h.Models) > 0 || h.Serving != nil && h.Serving.Work != nil)
	}
	l.demands = l.wants()
	tried := map[*shape]int{} // by whom orders of a shape were refused already, counted along the roster
	for _, t := range s.orders {
		spec := t.step.spec
		switch {
		case spec.Order.Kind != candor.OrderLoad || t.state.final():
		case t.state == processing:
			l.loadOn(s.workers[t.run.worker], t)
		case spec.Requires.Worker != "":
			if w := s.workers[spec.Requires.Worker]; s.takesNow(t, w) {
				l.loadOn(w, t)
			}
		default:
			l.speak(t, tried)
		}
	}
	return l
}

// see takes down what is known of a worker now.
func (l *look) see(w *worker) *Have {
	h := l.s.have(w)
	l.haves[w] = &h
	return &h
}

// have is what was known of a worker when it was last seen.
func (l *look) have(w *worker) *Have { return l.haves[w] }

// speak assigns an order that anybody may take to the first worker who could,
// so that no second one is made for the same worker. An order that nobody could
// take holds back nothing.
func (l *look) speak(t *task, tried map[*shape]int) {
	var sh *shape // queued orders that are the same one after the other
	if t.lane != nil {
		sh = t.lane.shape
	}
	want := WantOf(t.step.spec, nil)
	if t.waits() {
		sh = nil // it is asked for as if nobody were to be avoided
	} else {
		want = l.s.wantNow(t)
	}
	want.task = t
	from := tried[sh]
	for i := from; i < len(l.s.roster); i++ {
		w := l.s.roster[i]
		if sh != nil {
			tried[sh] = i + 1
		}
		if l.spoken[w] != nil || !w.present() || w.silent {
			continue
		}
		if code, _ := Eligible(&want, l.have(w), nil); code == "" {
			l.spoken[w] = t
			if !t.waits() {
				l.loadOn(w, t)
			}
			if d := l.demand(t.step.spec.Order.Model); d != nil {
				d.expects(t, nil)
			}
			return
		}
	}
}

// noteServed remembers which demands have somebody: the wait of the others
// counts from when they had.
func (l *look) noteServed() {
	for _, model := range sortedKeys(l.s.served) {
		if l.demand(model) == nil {
			delete(l.s.served, model)
		}
	}
	for _, d := range l.demands {
		if d.hands() > 0 {
			l.s.served[d.model] = l.s.now
		}
	}
}

// demand is what is wanted of a model, or nil.
func (l *look) demand(model string) *demand {
	i, ok := slices.BinarySearchFunc(l.demands, model, func(d *demand, name string) int { return strings.Compare(d.model, name) })
	if !ok {
		return nil
	}
	return l.demands[i]
}

// loads makes orders until no further one would help.
func (l *look) loads() {
	open := slices.Clone(l.demands)
	for len(open) > 0 {
		d := slices.MinFunc(open, first)
		if o := l.best(d); o != nil {
			l.order(o)
			continue
		}
		open = slices.DeleteFunc(open, func(o *demand) bool { return o == d })
	}
}

// first orders demands by which is served first.
func first(a, b *demand) int {
	none := func(d *demand) int { return min(d.hands(), 1) }
	if c := cmp.Compare(none(a), none(b)); c != 0 {
		return c
	}
	if none(a) == 0 && a.priority != b.priority {
		return cmp.Compare(b.priority, a.priority)
	}
	return cmp.Or(cmp.Compare(b.lasts(), a.lasts()), cmp.Compare(b.work(), a.work()), strings.Compare(a.model, b.model))
}

// best is the offer of the worker who would lose least by loading a model, or
// nil if the rules let nobody.
func (l *look) best(d *demand) *offer {
	if l.closed(d) {
		return nil
	}
	return l.bids(d).first()
}

// before tells whether o loses less than p.
func (o *offer) before(p *offer) bool { return o.compare(p) < 0 }

// compare orders offers by what is lost: nothing pushed out before something,
// idle before at work, emptier before fuller.
func (o *offer) compare(p *offer) int {
	return cmp.Or(
		cmp.Compare(len(o.needed), len(p.needed)),
		cmp.Compare(len(o.evict), len(p.evict)),
		cmp.Compare(o.w.load.LLM, p.w.load.LLM),
		cmp.Compare(len(o.have.Models), len(p.have.Models)),
	)
}

// order makes the order for an offer, and counts it.
func (l *look) order(o *offer) {
	s, d := l.s, o.d
	w := &wish{Order: candor.Order{
		Kind: candor.OrderLoad, Model: d.model, Context: d.context, Evict: o.evict, By: byRule, Need: l.need(o),
	}, expiry: s.cfg.Placement.Expiry}
	// It may go to whoever takes it first where all who could are as good.
	anybody := len(o.evict) == 0 && len(o.have.Models) == 0 && l.bids(d).others(o)
	if !anybody {
		w.worker = o.w.info.Name
	}
	if o.have.VRAM > 0 {
		w.vram = min(o.size, o.have.VRAM)
	}
	t := s.makeOrder(w)
	l.loadOn(o.w, t)
	l.tellOrder(o, t, anybody)
	if anybody {
		l.spoken[o.w] = t
		d.expects(t, nil)
	} else {
		d.expects(t, o.w)
		l.see(o.w)
	}
}

// replan lets the next tick look at placement.
func (s *State) replan() { s.placeAt = time.Time{} }

// wanted are the demands, the largest first.
func (l *look) wanted() []*demand {
	all := slices.Clone(l.demands)
	slices.SortStableFunc(all, func(a, b *demand) int { return b.queued - a.queued })
	return all
}
