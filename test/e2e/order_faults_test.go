//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// sized is a light model of a size.
func sized(name string, size candor.Bytes) simrt.Model {
	m := light(name)
	m.Size = int64(size)
	return m
}

// threeCards starts three workers with a card of 6 GiB each and these models,
// and waits until the brain knows what they could load.
func (f *farm) threeCards(models ...simrt.Model) []string {
	f.t.Helper()
	names := []string{"worker-1", "worker-2", "worker-3"}
	for _, name := range names {
		f.serves(name, simulate(f.t, simrt.Options{VRAM: 6 << 30, Slots: 1, Models: models}), "--gpu", "simulated:0:6GiB")
	}
	f.could(len(names), models...)
	return names
}

// could waits until so many workers are known to be able to load some models.
func (f *farm) could(n int, models ...simrt.Model) {
	f.t.Helper()
	f.until("it is known who could load what", func() bool {
		all, err := f.c.Models(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		for _, m := range models {
			i := slices.IndexFunc(all, func(v candor.ModelView) bool { return v.Name == candor.ModelName(m.Name) })
			if i < 0 || all[i].Size == 0 {
				return false
			}
			there := 0
			for _, w := range all[i].Workers {
				if w.State != "missing" && f.server(w.Worker).State == candor.ServerUp {
					there++
				}
			}
			if there != n {
				return false
			}
		}
		return true
	})
}

// TestF04ModelLargerThanAnyCard: a model that fits no card is refused where it is
// asked for: at preview, at submission, as an order. It is never to be, and the
// submitter's move; nothing else waits for it.
func TestF04ModelLargerThanAnyCard(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	f.threeCards(sized("big", 24*candor.GiB), sized("m", 2*candor.GiB))
	plan := f.plan("big", asks("ask", "big", "[1]"))
	told := []string{"fits on 0 of 3 workers", "needs 24 GiB of VRAM for big", "the largest of worker-1, worker-2, worker-3 has 6 GiB"}
	var preview candor.Preview
	f.candor("preview", plan, "--json").exits(5).json(&preview)
	f.reason(preview.Steps[0].Reason, candor.ReasonUnplaceable, candor.MoverYou, told...)
	r := f.candor("submit", plan, "--json").ok().says(append(told, "warning: ask")...)
	var reply candor.SubmitReply
	r.json(&reply)
	x := f.saysWhy(f.tasks(reply.Batch)[0].ID.String(), candor.ReasonUnplaceable, candor.MoverYou, told...)
	for _, w := range x.Workers {
		if w.Verdict != candor.VerdictNever {
			t.Errorf("%s says %s", w.Worker, w.Verdict)
		}
	}
	f.candor("model", "load", "big").exits(5).says("fits on 0 of 3 workers", "24 GiB of VRAM", "worker-3 has 6 GiB on the card")
	if b := f.ends(f.submit("small", asks("ask", "m", "[1]"))); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("beside it: %v", b.Counts)
	}
	f.comesToSay("worker-1", candor.ReasonVRAMTotal, candor.MoverYou, "24 GiB of VRAM", "worker-1 has 6 GiB on the card")
	if got := f.task(reply.Batch, "ask[0]"); got.Attempt != 0 {
		t.Errorf("attempt %d", got.Attempt)
	}
}

// held has a script task hold a part of a card each, until the file "go" is there.
func (f *farm) held(vram string, workers ...string) candor.BatchID {
	f.t.Helper()
	items, err := json.Marshal(workers)
	if err != nil {
		f.t.Fatal(err)
	}
	id := f.submit("held", fmt.Sprintf("hold:\n\tclass: script\n\tvram: %s\n\tforeach: {items: %s}\n\trun: %q", vram, items, f.gated("go")))
	for _, name := range workers {
		f.works(name, 1)
	}
	return id
}

// TestF02OrderNobodyTakes: an order for which no worker has room says so when it
// is given, and whenever it is asked: its age, and each worker's reason. It is
// dropped in time, with all of that on record, and meanwhile holds back no other.
func TestF02OrderNobodyTakes(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	names := f.threeCards(sized("large", 4*candor.GiB), sized("small", 1*candor.GiB))
	hold := f.held("3GiB", names...)
	refusals := func() []string {
		var all []string
		for _, name := range names {
			w := f.worker(name)
			all = append(all, fmt.Sprintf("%s: 3 GiB free of 6 GiB, held by task %s (%s) 3 GiB", name, w.Running[0].Task, w.Running[0].Name))
		}
		return all
	}()
	var reply candor.OrderReply
	f.candor("model", "load", "large", "--no-wait", "--expires", "4s", "--json").ok().json(&reply)
	order := reply.Orders[0]
	if !hasAll(order.Text, []string{"load_llm large ordered", "nobody can take it now", "worker-3", "held by task"}) {
		t.Errorf("the reply says %q", order.Text)
	}
	x := f.saysWhy(order.Task.String(), candor.ReasonVRAMHeld, candor.MoverWait, append(refusals, "load_llm large, ordered ", " ago, dropped in ")...)
	for _, w := range x.Workers {
		if w.Verdict != candor.VerdictNotNow {
			t.Errorf("%s says %s", w.Worker, w.Verdict)
		}
	}
	if b := f.ends(f.submit("beside", asks("ask", "small", "[1]"))); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("beside it: %v", b.Counts)
	}
	e := f.lateOnce(candor.EventOrderExpired, "load_llm large expired after 4", "taken by nobody", "worker-1", "worker-2", "worker-3", "held by task")
	if e.Task != order.Task || e.Level != candor.LevelWarn {
		t.Errorf("it expired as %+v", e)
	}
	f.reaches(order.Batch, "load_llm", candor.TaskCancelled)
	f.saysWhy(order.Task.String(), candor.ReasonOrderExpired, candor.MoverOperator, "load_llm is cancelled: large expired after 4", "taken by nobody", "worker-1", "worker-2", "worker-3", "held by task")
	if got := f.attempts(order.Task); len(got) != 0 {
		t.Errorf("attempts: %+v", got)
	}
	id := f.submit("after", asks("ask", "large", "[1]"))
	f.write("go", "")
	for _, b := range []candor.BatchID{hold, id} {
		if b := f.ends(b); b.Outcome != candor.OutcomeSucceeded {
			t.Errorf("when the cards are free: %v", b.Counts)
		}
	}
}

// lateOnce waits for an event, then wants exactly one of it.
func (f *farm) lateOnce(code candor.EventCode, words ...string) candor.Event {
	f.t.Helper()
	f.until(fmt.Sprintf("%s is told: %q", code, words), func() bool {
		return slices.ContainsFunc(f.events(code), func(e candor.Event) bool { return hasAll(e.Text, words) })
	})
	return f.once(code, words...)
}

// TestF02MalformedOrder: an order that cannot be carried out never comes to be.
func TestF02MalformedOrder(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	m := sized("m", candor.GiB)
	f.serves("worker-1", has(t, 1, m))
	f.could(1, m)
	f.candor("model", "load", "a\nb").exits(2).says("is no name of a model")
	f.candor("model", "load", "nobodys").exits(5).says("fits on 0 of 1 worker", "nobodys on its disk", "worker-1 has m")
	for name, req := range map[string]candor.OrderRequest{
		"no model":    {Kind: candor.OrderLoad},
		"no kind":     {Model: "m"},
		"of the bus":  {Kind: "load_bus", Model: "m"},
		"in the past": {Kind: candor.OrderLoad, Model: "m", Expires: -1},
	} {
		if _, err := f.c.OrderModel(t.Context(), req); candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := f.c.Submit(t.Context(), candor.Submission{Name: "sly", Steps: []candor.Step{{Name: "a", Class: candor.ClassResource, Order: &candor.Order{Kind: candor.OrderLoad}}}})
	if candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("an order that somebody submits: %v", err)
	}
	if all, err := f.c.Batches(t.Context(), candor.BatchQuery{Kind: candor.BatchOrder}); err != nil || len(all) > 0 {
		t.Errorf("there are orders: %v, %v", all, err)
	}
	if b := f.ends(f.submit("beside", asks("ask", "m", "[1]"))); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("afterwards: %v", b.Counts)
	}
}

// TestF03AlreadyHot: an order that anybody may take passes by the worker that
// has the model already, and an order that would change nothing is not made.
func TestF03AlreadyHot(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	m := sized("m", candor.GiB)
	f.serves("worker-1", has(t, 1, m))
	f.ends(f.submit("warm", asks("ask", "m", "[1]")))
	f.serves("worker-2", has(t, 1, m))
	f.serves("worker-3", has(t, 1, m))
	f.could(3, m)
	type orders struct {
		Orders []struct {
			candor.Ordered
			State  candor.TaskState    `json:"state"`
			RanOn  string              `json:"ran_on"`
			Result *candor.OrderResult `json:"result"`
		} `json:"orders"`
	}
	var took []string
	for range 2 {
		var got orders
		f.candor("model", "load", "m", "--json").ok().json(&got)
		o := got.Orders[0]
		if o.State != candor.TaskComplete || o.Result == nil || !o.Result.Changed || len(o.Result.Before) != 0 || len(o.Result.After) != 1 {
			t.Fatalf("the order ended as %+v with %+v", o, o.Result)
		}
		took = append(took, o.RanOn)
	}
	slices.Sort(took)
	if !slices.Equal(took, []string{"worker-2", "worker-3"}) {
		t.Errorf("the orders went to %v", took)
	}
	for _, args := range [][]string{{}, {"--worker", "worker-1"}} {
		var got orders
		f.candor(append([]string{"model", "load", "m", "--json"}, args...)...).ok().json(&got)
		if o := got.Orders[0]; !o.Already || o.Task != 0 || !strings.Contains(o.Text, "is that way already") {
			t.Errorf("once more %q: %+v", args, o)
		}
	}
	if all := f.events(candor.EventOrderFailed); len(all) != 0 {
		t.Errorf("failed: %v", all)
	}
}

// oneLoad wants exactly one order to have been made, and one load to have been done.
func (f *farm) oneLoad() {
	f.t.Helper()
	all, err := f.c.Batches(f.t.Context(), candor.BatchQuery{Kind: candor.BatchOrder})
	if err != nil || len(all) != 1 || all[0].Outcome != candor.OutcomeSucceeded {
		f.t.Errorf("orders: %+v, %v", all, err)
	}
	f.once(candor.EventOrderMade)
	f.once(candor.EventModelLoaded)
}

// TestF32RestartDuringALoad: a brain that is killed while a load is under way
// knows of it when it is back: there is one load, not two.
func TestF32RestartDuringALoad(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	brain := f.brain()
	s := has(t, 1, light("m"))
	f.serves("worker-1", s)
	s.orders(t, simrt.Fault{Kind: simrt.SlowLoad, DelayMS: 4000, Times: 1})
	id := f.submit("cold", asks("ask", "m", "[1, 2]"))
	f.until("the load is under way", func() bool { return f.server("worker-1").Work != nil })
	brain.kill()
	f.brain()
	f.until("its worker has told the new brain", func() bool { return f.server("worker-1").Work != nil })
	f.comesToSay(f.tasks(id)[0].ID.String(), candor.ReasonModelLoading, candor.MoverSystem, "worker-1", "it loads m for ")
	f.afterTheLoad(id)
	f.oneLoad()
}

// TestF32RestartBeforeALoad: an order that nobody has taken yet outlives the
// brain. Whoever asks for the same again gets the same order, and no rule makes
// a second one.
func TestF32RestartBeforeALoad(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	brain := f.brain()
	m := light("m")
	for _, name := range []string{"worker-1", "worker-2"} {
		f.serves(name, has(t, 1, m))
	}
	f.could(2, m)
	f.candor("pause", "class:resource").ok()
	load := func() candor.Ordered {
		var reply candor.OrderReply
		f.candor("model", "load", "m", "--no-wait", "--json").ok().json(&reply)
		return reply.Orders[0]
	}
	order := load()
	id := f.submit("cold", asks("ask", "m", "[1]"))
	brain.kill()
	f.brain()
	if again := load(); !again.Already || again.Task != order.Task || order.Already {
		t.Errorf("ordered %+v, and after the restart %+v", order, again)
	}
	f.could(2, m)
	f.saysWhy(order.Task.String(), candor.ReasonClassPaused, candor.MoverOperator, "class resource is paused")
	f.comesToSay(f.tasks(id)[0].ID.String(), candor.ReasonClassPaused, candor.MoverOperator, "no load of m was ordered", "paused by")
	f.candor("resume", "class:resource").ok()
	f.afterTheLoad(id)
	f.oneLoad()
}

// TestF32FormerBrain: an order of a brain whose store is lost is void. The worker
// ends it when it joins the new one, which refuses its result and loads by its
// own order.
func TestF32FormerBrain(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	brain := f.brain()
	s := has(t, 1, light("m"))
	f.serves("worker-1", s)
	s.orders(t, simrt.Fault{Kind: simrt.SlowLoad, DelayMS: 120_000, Times: 1})
	f.candor("model", "load", "m", "--no-wait").ok()
	f.until("the load is under way", func() bool { return f.server("worker-1").Work != nil })
	brain.kill()
	for _, name := range []string{"candor.db", "candor.db-wal", "candor.db-shm"} {
		if err := os.Remove(filepath.Join(f.state, name)); err != nil {
			t.Fatal(err)
		}
	}
	f.brain()
	f.joined("worker-1")
	id := f.submit("cold", asks("ask", "m", "[1]"))
	e := f.lateOnce(candor.EventResultFenced, "from worker-1", "refused", "this brain never gave that lease")
	if e.Reason != candor.ReasonFenced {
		t.Errorf("refused as %s", e.Reason)
	}
	f.logged("worker-1", 1, "Ending ", "(load_llm): lease ", " is not this worker's any more")
	f.afterTheLoad(id)
	f.oneLoad()
}
