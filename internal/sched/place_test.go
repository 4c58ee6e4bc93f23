package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// serving is a worker with a model server, as it tells of itself.
func serving(models ...candor.ServedModel) candor.View {
	v := candor.View{State: candor.WorkerCold, Serving: &candor.Serving{Kind: "ollama", State: candor.ServerUp, Take: 2, Slots: 1, Models: models}}
	for _, m := range models {
		if m.Ready {
			v.State, v.Model = candor.WorkerHot, m.Name
		}
	}
	return v
}

func ready(name string, vram candor.Bytes) candor.ServedModel {
	return candor.ServedModel{Name: name, Ready: true, Context: 4096, Size: vram, VRAM: vram}
}

// joinServing joins a worker with a card and a model server.
func (f *farm) joinServing(name string, catalog []string, view candor.View) {
	f.t.Helper()
	c := &candor.Catalog{}
	for _, m := range catalog {
		c.Models = append(c.Models, candor.CatalogModel{Name: m, Size: 4 * candor.GiB})
	}
	info := candor.WorkerInfo{Name: name, Host: "host-" + name, PID: 100 + len(f.at), Slots: 1, Classes: candor.Classes(), GPU: &candor.GPU{Name: "card", Total: 8 * candor.GiB, Free: 8 * candor.GiB}}
	r := f.do(Register{candor.RegisterRequest{Protocol: candor.Protocol, Info: info, View: view, Verified: true, Catalog: c}}).(candor.RegisterReply)
	f.at[name] = r.Session
}

// asks is a claim with a view.
func (f *farm) asks(name string, view candor.View, results ...candor.Result) candor.ClaimReply {
	f.t.Helper()
	return f.do(Claim{Worker: name, Req: candor.ClaimRequest{Session: f.at[name], Max: 1, Results: results, View: view}}).(candor.ClaimReply)
}

func llm(name, model string, n int) candor.Step {
	st := candor.Step{Name: name, Class: candor.ClassLLM, Model: model, Run: "true", Each: &candor.Each{}}
	for i := range n {
		st.Each.Items = append(st.Each.Items, fmt.Appendf(nil, "%d", i))
	}
	return st
}

// The night of the incident: three cold workers, 125 tasks. All of them get the
// model, where then only one did.
func TestEveryIdleWorkerGetsTheModel(t *testing.T) {
	f := newFarm(t, Config{})
	for _, name := range []string{"w1", "w2", "w3"} {
		f.joinServing(name, []string{"m"}, serving())
	}
	f.submit(llm("topics", "m", 125))
	f.pass(0)
	var orders []string
	for _, e := range f.told() {
		if e.Code == candor.EventOrderMade {
			orders = append(orders, e.Text)
		}
	}
	if want := "LLM tasks waiting (125) but no models loaded - inserting load_llm task"; len(orders) != 3 || orders[0] != want {
		t.Errorf("told %q, want %q first", orders, want)
	}
	for _, name := range []string{"w1", "w2", "w3"} {
		r := f.asks(name, serving())
		if len(r.Tasks) != 1 || r.Steps[0].Step.Order == nil || r.Steps[0].Step.Order.Model != "m" {
			t.Fatalf("%s got %+v, want a load of m", name, r)
		}
	}
	if n := len(f.s.orders); n != 3 {
		t.Errorf("%d orders for three workers", n)
	}
	f.pass(time.Minute)
	if n := len(f.s.orders); n != 3 {
		t.Errorf("%d orders a minute later", n)
	}
}

// F01: with the cap of one hot worker the cap is named.
func TestTheCapIsNamed(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{MaxHot: 1}})
	for _, name := range []string{"w1", "w2", "w3"} {
		f.joinServing(name, []string{"m"}, serving())
	}
	f.submit(llm("topics", "m", 125))
	f.pass(0)
	order := f.asks("w2", serving()).Tasks[0]
	done := ended(order, candor.AttemptDone, "", "")
	done.Order = &candor.OrderResult{Changed: true, After: []candor.ServedModel{ready("m", 5*candor.GiB)}, Took: candor.Duration(40 * time.Second)}
	hot := serving(ready("m", 5*candor.GiB))
	if r := f.asks("w2", hot, done); len(r.Tasks) != 1 {
		t.Fatalf("w2 got nothing: %+v", r.Report)
	}
	f.asks("w1", serving())
	for range 28 {
		for _, name := range []string{"w1", "w3"} {
			f.asks(name, serving())
		}
		f.beat("w2")
		f.pass(30 * time.Second)
	}
	x := f.do(Why{"w1"}).(candor.Explanation)
	f.expect(x.Reason, candor.ReasonPlaceMaxHot, "max_hot=1", "reached by w2", "m")
	if x.Reason.Mover != candor.MoverYou {
		t.Errorf("whose move: %s", x.Reason.Mover)
	}
}

// Tasks that those who hold their model may not take, or do not take now, get a
// worker of their own, however little there is to do.
func TestAModelThatServesOthersServesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		step   func(*candor.Step)
		before func(*farm)
	}{
		"another worker is named": {step: func(st *candor.Step) { st.Requires.Worker = "w2" }},
		"its holder is paused":    {before: func(f *farm) { f.do(Pause{candor.ChangeRequest{Targets: []string{"worker:w1"}}}) }},
		"its holder drains":       {before: func(f *farm) { f.do(Drain{Req: candor.ChangeRequest{Targets: []string{"worker:w1"}}}) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, Config{})
			f.joinServing("w1", []string{"m"}, serving(ready("m", 5*candor.GiB)))
			f.joinServing("w2", []string{"m"}, serving())
			if c.before != nil {
				c.before(f)
			}
			step := llm("topics", "m", 1)
			if c.step != nil {
				c.step(&step)
			}
			f.submit(step)
			f.pass(0)
			if r := f.asks("w2", serving()); len(r.Tasks) != 1 || r.Steps[0].Step.Order == nil {
				t.Errorf("w2 gets no order: %+v", r.Report)
			}
			if n := len(f.s.orders); n != 1 {
				t.Errorf("%d orders", n)
			}
		})
	}
}

// A task that failed on the one worker with its model by no fault of its own
// goes elsewhere, so its model goes there first.
func TestATaskThatAvoidsTheHolderGetsAnother(t *testing.T) {
	f := newFarm(t, Config{})
	hot := serving(ready("m", 5*candor.GiB))
	f.joinServing("w1", []string{"m"}, hot)
	f.joinServing("w2", []string{"m"}, serving())
	f.submit(llm("topics", "m", 1))
	f.pass(0)
	r := f.asks("w1", hot)
	if len(r.Tasks) != 1 {
		t.Fatalf("w1 got nothing: %+v", r.Report)
	}
	f.asks("w1", hot, ended(r.Tasks[0], candor.AttemptTransient, candor.ReasonServerGone, "its server fell"))
	f.pass(time.Second)
	if r := f.asks("w2", serving()); len(r.Tasks) != 1 || r.Steps[0].Step.Order == nil {
		t.Errorf("w2 gets no order: %+v", r.Report)
	}
}

// Who has waited for a model for the longest that may be gets it though the one
// in its place is in use all the time. The wait counts from when it was there.
func TestAModelInUseGivesWay(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{MaxWait: 10 * time.Minute, RunGuess: time.Minute}})
	a, b := ready("a", 5*candor.GiB), ready("b", 5*candor.GiB)
	f.joinServing("w1", []string{"a", "b"}, serving(a))
	f.submit(llm("one", "a", 100))
	f.submit(llm("two", "b", 100))
	var last []candor.Result
	// works claims with a model until an order comes, and says after how long.
	works := func(held candor.ServedModel) (candor.Assignment, time.Duration) {
		t.Helper()
		for passed := time.Duration(0); passed < time.Hour; passed += time.Minute {
			f.pass(30 * time.Second)
			f.beat("w1")
			f.pass(30 * time.Second)
			r := f.asks("w1", serving(held), last...)
			if len(r.Tasks) != 1 {
				t.Fatalf("w1 got nothing: %+v", r.Report)
			}
			if o := r.Steps[0].Step.Order; o != nil {
				return r.Tasks[0], passed
			}
			last = []candor.Result{ended(r.Tasks[0], candor.AttemptDone, "", "")}
		}
		t.Fatal("no order within an hour")
		return candor.Assignment{}, 0
	}
	held, other := a, b
	for range 3 {
		order, after := works(held)
		if after < 8*time.Minute || after > 12*time.Minute {
			t.Errorf("%s has to go after %s", held.Name, after)
		}
		done := ended(order, candor.AttemptDone, "", "")
		done.Order = &candor.OrderResult{Changed: true, Evicted: []string{held.Name}, After: []candor.ServedModel{other}, Took: candor.Duration(time.Second)}
		held, other = other, held
		got := f.asks("w1", serving(held), done)
		if len(got.Tasks) != 1 {
			t.Fatalf("with %s w1 got nothing: %+v", held.Name, got.Report)
		}
		last = []candor.Result{ended(got.Tasks[0], candor.AttemptDone, "", "")}
	}
}

// Where only people order loads, that is the reason, not some other rule.
func TestPlacementThatIsOffIsNamed(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{Off: true}})
	f.joinServing("w1", []string{"m"}, serving())
	f.submit(llm("topics", "m", 5))
	f.pass(time.Second)
	f.asks("w1", serving())
	r := f.why("w1")
	f.expect(r, candor.ReasonPlaceOff, "placement.off is set")
	if r.Next != "candor model load m --worker w1" || r.Mover != candor.MoverYou {
		t.Errorf("next %q, mover %s", r.Next, r.Mover)
	}
}
