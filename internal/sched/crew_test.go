package sched

import (
	"testing"
	"time"

	"candor"
)

// Who holds a model that some tasks accept is there for those alone: the others
// get a worker of their own, and the cap counts who has the model itself.
func TestAnAcceptedModelServesWhoAcceptsIt(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{MaxHot: 1}})
	big := serving(ready("big", 5*candor.GiB))
	f.joinServing("w1", []string{"m", "big"}, big)
	f.joinServing("w2", []string{"m", "big"}, serving())
	some := llm("any", "m", 20)
	some.Accept = []string{"big"}
	f.submit(some, llm("only", "m", 2))
	f.pass(0)
	f.asks("w1", big)
	load := f.getsLoad("w2", "m")
	if n := len(f.s.orders); n != 1 {
		t.Errorf("%d orders", n)
	}
	done := ended(load, candor.AttemptDone, "", "")
	done.Order = &candor.OrderResult{Changed: true, After: []candor.ServedModel{ready("m", 5*candor.GiB)}}
	f.asks("w2", serving(ready("m", 5*candor.GiB)), done)
	f.joinServing("w3", []string{"m"}, serving())
	f.asks("w3", serving())
	f.expect(f.why("w3"), candor.ReasonPlaceMaxHot, "reached by w2")
}

// A model that is loaded with a context too short for a few tasks does not serve
// those, however many others it serves.
func TestAShortContextServesWhoNeedsNoLonger(t *testing.T) {
	f := newFarm(t, Config{})
	hot := serving(ready("m", 5*candor.GiB)) // 4096 tokens
	f.joinServing("w1", []string{"m"}, hot)
	f.joinServing("w2", []string{"m"}, serving())
	long := llm("long", "m", 1)
	long.Context = 32768
	f.submit(llm("short", "m", 2), long)
	f.pass(0)
	f.asks("w1", hot)
	f.getsLoad("w2", "m")
	if o := f.s.orders[0].step.spec.Order; o.Context != 32768 {
		t.Errorf("ordered with a context of %d", o.Context)
	}
	f.pass(time.Second)
	if n := len(f.s.orders); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// Work that those who are there do soon enough asks for nobody else, nor does a
// worker that stands in for all of it load the model in place of its own.
func TestWhoServesAllOfItLoadsNothing(t *testing.T) {
	f := newFarm(t, Config{})
	big := serving(ready("big", 5*candor.GiB))
	f.joinServing("w1", []string{"m", "big"}, big)
	some := llm("any", "m", 200)
	some.Accept = []string{"big"}
	f.submit(some)
	f.pass(0)
	if n := len(f.s.orders); n != 0 {
		t.Errorf("%d orders, though w1 does the work with what it has", n)
	}
}
