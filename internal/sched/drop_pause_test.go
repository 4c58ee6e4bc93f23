package sched

import (
	"testing"

	"candor"
)

// TestPauseGoesWithItsBatch: a batch that has ended cannot be resumed by
// anybody, and must not stand in the status for ever.
func TestPauseGoesWithItsBatch(t *testing.T) {
	f := newFarm(t, Config{})
	reply := f.submit(cpu("a"))
	id := reply.Batch.String()
	f.do(Pause{change(id)})
	f.do(Pause{change("class:cpu")})
	f.told()
	f.do(Cancel{change(id)})
	if len(f.s.pauses) != 1 || f.s.pauses[0].Scope != "class" {
		t.Fatalf("paused are %+v", f.s.pauses)
	}
	c := f.s.Take()
	if !c.PausesSet || len(c.Pauses) != 1 || c.Events[len(c.Events)-2].Code != candor.EventResumed {
		t.Errorf("stored are %+v, told %+v", c.Pauses, c.Events)
	}
	ch := f.do(Pause{change(id)}).(candor.ChangeReply)
	has(t, ch.Changed[0].Text, "has ended already (cancelled)")
	if len(f.s.pauses) != 1 {
		t.Errorf("an ended batch is paused: %+v", f.s.pauses)
	}
}

// TestPauseOfForgottenBatchGoes: a state of a brain that kept such pauses sheds
// them when it starts.
func TestPauseOfForgottenBatchGoes(t *testing.T) {
	snap := &Snapshot{Pauses: []candor.Pause{
		{Scope: "batch", Target: candor.BatchID(77).String(), By: "ann", At: epoch}, {Scope: "worker", Target: "w", By: "ann", At: epoch},
	}}
	f := newFarm(t, Config{})
	f.s = New(Config{}, snap)
	f.do(Tick{})
	if len(f.s.pauses) != 1 || f.s.pauses[0].Scope != "worker" {
		t.Fatalf("paused are %+v", f.s.pauses)
	}
	c := f.s.Take()
	if c == nil || !c.PausesSet || len(c.Pauses) != 1 {
		t.Fatalf("stored is %+v", c)
	}
	has(t, c.Events[0].Text, "is not paused any more", "it has ended")
}
