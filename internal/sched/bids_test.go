package sched

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// Whom a look finds from what it has asked before is whom it would find by asking
// everybody again before each order.
func TestBidsAreAsIfEverybodyWereAskedAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFarm(t, Config{Placement: Placement{
			MaxHot: rapid.SampledFrom([]int{0, 0, 2}).Draw(rt, "max hot"), LoadsPerHost: rapid.IntRange(1, 2).Draw(rt, "per host"),
			RunGuess: time.Duration(rapid.IntRange(1, 30).Draw(rt, "run")) * time.Second,
		}})
		models := []string{"a", "b", "c", "d"}
		for i := range rapid.IntRange(1, 12).Draw(rt, "workers") {
			f.joinAny(rt, fmt.Sprintf("w%02d", i), models)
		}
		for i, m := range models {
			step := llm(m, m, rapid.IntRange(1, 60).Draw(rt, "tasks"))
			step.Requires.Worker = rapid.SampledFrom([]string{"", "", "", fmt.Sprintf("w%02d", i)}).Draw(rt, "named")
			f.submit(step)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "looks") {
			f.now = f.now.Add(time.Duration(rapid.IntRange(1, 700).Draw(rt, "pass")) * time.Second)
			f.s.now = f.now
			f.s.forgetOrders()
			l := f.s.look()
			l.noteServed()
			l.compareLoads(rt)
		}
	})
}

// joinAny joins a worker that holds some models, at some work, of which some
// loads have failed.
func (f *farm) joinAny(rt *rapid.T, name string, models []string) {
	held := rapid.SliceOfNDistinct(rapid.SampledFrom(models), 0, 2, rapid.ID).Draw(rt, "held")
	view := serving()
	for _, m := range held {
		view.Serving.Models = append(view.Serving.Models, ready(m, candor.Bytes(rapid.IntRange(2, 4).Draw(rt, "size"))*candor.GiB))
	}
	view.Serving.Most = rapid.IntRange(0, 2).Draw(rt, "most")
	f.joinServing(name, models[:rapid.IntRange(1, len(models)).Draw(rt, "catalog")], view)
	w := f.s.workers[name]
	w.info.Host = rapid.SampledFrom([]string{"h1", "h2", "host-" + name}).Draw(rt, "host")
	f.s.moveIn(w)
	w.load.LLM = rapid.IntRange(0, 1).Draw(rt, "load")
	w.since = map[string]time.Time{}
	for _, m := range held {
		w.since[m] = f.now
	}
	if rapid.IntRange(0, 3).Draw(rt, "failed") == 0 {
		f.s.failedLoad(w, "a", candor.NewReason(candor.ReasonModelBroken, "broken"))
	}
}

// compareLoads makes orders like loads does, and asks everybody before each.
func (l *look) compareLoads(rt *rapid.T) {
	open := slices.Clone(l.demands)
	for len(open) > 0 {
		d := slices.MinFunc(open, first)
		want, got := l.askAll(d), l.best(d)
		if (want == nil) != (got == nil) || want != nil && (want.w != got.w || !slices.Equal(want.evict, got.evict)) {
			rt.Fatalf("%s goes to %+v, asked again to %+v", d.model, got, want)
		}
		if got == nil {
			open = slices.DeleteFunc(open, func(o *demand) bool { return o == d })
			continue
		}
		if a, b := l.askOthers(got), l.bids(d).others(got); a != b {
			rt.Fatalf("%s for anybody but %s: %v, asked again %v", d.model, got.w.info.Name, b, a)
		}
		l.order(got)
	}
}

func (l *look) askAll(d *demand) *offer {
	var top *offer
	for _, w := range l.s.roster {
		l.see(w)
		o := l.offer(d, w)
		if code, _ := o.ask(nil); code == "" && (top == nil || o.before(top)) {
			top = o
		}
	}
	return top
}

func (l *look) askOthers(o *offer) bool {
	others := 0
	for _, w := range l.s.roster {
		if w == o.w || !w.present() {
			continue
		}
		p := l.offer(o.d, w)
		code, _ := p.ask(nil)
		switch {
		case code == "" && len(p.have.Models) == 0 && len(p.evict) == 0:
			others++
		case code == candor.ReasonPlaceBackoff, code == candor.ReasonPlaceHold:
			return false
		}
	}
	return others > 0
}

// Orders are found by worker, and loads counted by host, as if all were looked
// through, whatever happens to them.
func (w *world) checkOrders(cmd Command) {
	s := w.s
	for _, k := range s.roster {
		var own []*task
		beside := 0
		for _, t := range s.orders {
			mine := t.step.spec.Requires.Worker == k.info.Name || t.state == processing && t.run.worker == k.info.Name
			if !t.state.final() && mine {
				own = append(own, t)
			}
			if t.state == processing && t.step.spec.Order.Kind == candor.OrderLoad && t.run.worker != k.info.Name && s.workers[t.run.worker].info.Host == k.info.Host {
				beside++
			}
		}
		others := slices.DeleteFunc(slices.Clone(k.house.loads), func(h hostLoad) bool { return h.w == k })
		if got := s.ordersOf(k); !slices.Equal(got, own) || len(others) != beside {
			w.t.Fatalf("%T: %s has %d orders and %d loads beside it, there are %d and %d", cmd, k.info.Name, len(got), len(others), len(own), beside)
		}
	}
}
