package sched

import (
	"testing"
	"time"

	"candor"
)

// A result counts for the worker that had the lease, by its own word alone: not
// while the attempt runs, nor late.
func TestAResultIsItsWorkersOwn(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s", retries(3)))
	a := f.take("w1")
	waiting := f.tasksOf(f.submit(cpu("waits")).Batch)[0]
	if v := f.hand("w1", candor.Result{Task: waiting.id, Outcome: candor.AttemptDone}); len(v) != 1 || v[0].Verdict != candor.ResultFenced {
		t.Fatalf("of what never ran: %+v", v)
	}
	foreign := func(r candor.Result) {
		t.Helper()
		f.told()
		v := f.hand("w2", r)
		if len(v) != 1 || v[0].Verdict != candor.ResultFenced {
			t.Fatalf("%+v", v)
		}
		has(t, v[0].Text, "lease 1 was given to w1, and w2 speaks for nobody else")
		has(t, f.toldOf(candor.EventResultFenced), "from w2 under lease 1", "given to w1")
	}
	foreign(exit1(a))
	foreign(done(a))
	if f.state(a.Task) != candor.TaskProcessing {
		t.Fatal(f.state(a.Task))
	}
	if w := f.s.workers["w2"]; w.failed+w.completed+w.trials.len() > 0 {
		t.Fatalf("w2 is charged with %d failed, %d completed, %d trials", w.failed, w.completed, w.trials.len())
	}
	f.pass(time.Minute) // lost, and its lease over
	f.pass(time.Hour)
	if f.state(a.Task) != candor.TaskQueued {
		t.Fatal(f.state(a.Task))
	}
	foreign(done(a))
	if v := f.hand("w1", done(a)); len(v) != 1 || v[0].Verdict != candor.ResultLate {
		t.Fatalf("%+v", v)
	}
	foreign(done(a))
	if v := f.hand("w1", done(a)); len(v) != 1 || v[0].Verdict != candor.ResultRepeated {
		t.Fatalf("%+v", v)
	}
}
