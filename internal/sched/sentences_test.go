package sched

import (
	"testing"
	"time"

	"candor"
)

func TestClausesAreEnglish(t *testing.T) {
	for actual, want := range map[string]string{
		"paused by root@vm at 21:45:00": "w1 is paused by root@vm at 21:45:00",
		"drained by ann at 21:45:00":    "w1 is drained by ann at 21:45:00",
		"quarantined: 5 tasks failed":   "w1 is quarantined: 5 tasks failed",
		"w1":                            "this is w1",
		"no model loaded":               "w1 has no model loaded",
		"it loads m for 5s":             "w1: it loads m for 5s",
		"is busy":                       "w1 is busy",
	} {
		if got := clause("w1", actual); got != want {
			t.Errorf("%q: %q, want %q", actual, got, want)
		}
	}
}

// A worker that takes no class llm is as it should be while others do.
func TestNobodyHasToActForWhatOthersTake(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", func(in *candor.WorkerInfo) { in.Classes = []candor.Class{candor.ClassCPU} })
	f.submit(llm("topics", "m", 5))
	f.claim("w1")
	if r := f.why("w1"); r.Code != candor.ReasonWrongClass || r.Mover != candor.MoverYou {
		t.Errorf("alone: %+v", r)
	}
	f.joinServing("w2", []string{"m"}, serving())
	f.claim("w1")
	if r := f.why("w1"); r.Code != candor.ReasonWrongClass || r.Mover != candor.MoverWait {
		t.Errorf("beside w2: %+v", r)
	}
}

// A first load says how long such are guessed to take, and each model has one
// sentence and somebody whose move it is.
func TestAModelHasOneReason(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinServing("w1", []string{"m", "spare"}, serving())
	f.joinServing("w2", []string{"m", "spare"}, serving())
	reason := func(name string) candor.Reason {
		t.Helper()
		for _, m := range f.do(Models{}).([]candor.ModelView) {
			if m.Name == name {
				return *m.Reason
			}
		}
		t.Fatalf("no model %s", name)
		return candor.Reason{}
	}
	f.expect(reason("spare"), candor.ReasonIdleNoWork, "nobody wants spare")
	f.submit(llm("topics", "m", 1))
	f.pass(0)
	f.getsLoad("w1", "m")
	f.pass(5 * time.Second)
	loads := serving()
	loads.Serving.Work = &candor.ModelWork{Kind: candor.OrderLoad, Model: "m", For: candor.Duration(5 * time.Second)}
	f.asks("w1", loads)
	r := reason("m")
	f.expect(r, candor.ReasonPlaceOrdered, "1 task waits for m: it is loaded nowhere", "it has been at it for 5s of about 15s", "w2: no load of m was ordered")
	if r.Mover != candor.MoverSystem || !r.Since.Equal(epoch) {
		t.Errorf("mover %s, since %s", r.Mover, r.Since)
	}
}
