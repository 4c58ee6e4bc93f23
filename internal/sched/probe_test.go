package sched

import (
	"testing"
	"time"

	"candor"
)

// shutOut is a farm of good and bad, with bad shut out and the claims of good
// answered.
func shutOut(t *testing.T) *farm {
	f := newFarm(t, Config{})
	f.join("bad", func(in *candor.WorkerInfo) { in.Slots = 4 })
	f.join("good")
	f.submit(cpu("s", items(40)))
	f.hand("good", done(f.take("good")))
	for range 5 {
		a := f.do(Claim{Worker: "bad", Req: candor.ClaimRequest{Session: f.at["bad"], Max: 1}}).(candor.ClaimReply).Tasks[0]
		f.hand("bad", exit1(a))
		f.pass(10 * time.Second)
		f.beat("good")
	}
	f.expect(f.why("bad"), candor.ReasonQuarantined, "next probe ")
	f.told()
	return f
}

// wait lets time pass with both workers alive, and the bad one asking in vain.
func (f *farm) idles(d time.Duration) {
	f.t.Helper()
	for range int(d / (10 * time.Second)) {
		if r := f.claim("bad"); len(r.Tasks) > 0 {
			f.t.Fatalf("bad got a task at %s", f.now)
		}
		f.pass(10 * time.Second)
		f.beat("good")
	}
}

// After a minute a worker that is shut out gets one task, and only one. If that
// completes it is as any other.
func TestAProbeThatCompletesEndsTheQuarantine(t *testing.T) {
	f := shutOut(t)
	f.idles(50 * time.Second) // ten have passed
	before := f.s.Ready()
	f.pass(0)
	if f.s.Ready() == before && !f.s.workers["bad"].probe.open {
		t.Error("held claims are not tried again")
	}
	probe := f.take("bad") // asks for eight
	has(t, f.toldOf(candor.EventProbe), "Worker bad is tried with one task")
	if r := f.claim("bad"); len(r.Tasks) > 0 {
		t.Error("it gets a second task beside its probe")
	}
	f.hand("bad", done(probe))
	has(t, f.toldOf(candor.EventResumed), "bad takes tasks again after 1m", "completed")
	if r := f.claim("bad"); len(r.Tasks) != 4 {
		t.Errorf("it gets %d tasks for 4 slots", len(r.Tasks))
	}
}

// A probe that fails costs its task no try, and the next one waits twice as long.
func TestAProbeThatFailsDoublesTheWait(t *testing.T) {
	f := shutOut(t)
	f.idles(50 * time.Second)
	probe := f.take("bad")
	f.told()
	f.hand("bad", exit1(probe))
	has(t, f.toldOf(candor.EventProbe), "Worker bad stays quarantined", "next probe "+candor.FormatTime(f.now.Add(2*time.Minute)))
	if task := f.s.tasks.find(probe.Task); task.state != queued || task.counted != 0 {
		t.Errorf("the task is %s with %d counted", stateNames[task.state], task.counted)
	}
	r := f.why("bad")
	f.expect(r, candor.ReasonQuarantined, "next probe "+candor.FormatTime(f.now.Add(2*time.Minute)))
	if r.Mover != candor.MoverSystem || r.Next != "candor resume worker:bad" {
		t.Errorf("mover %s, next %q", r.Mover, r.Next)
	}
	f.idles(2 * time.Minute)
	if again := f.take("bad"); again.Task == probe.Task {
		t.Error("the task that failed there comes back though another could take it")
	}
}

// What a worker had in hand when it was shut out is no probe.
func TestWhatWasInHandIsNoProbe(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("bad", func(in *candor.WorkerInfo) { in.Slots = 8 })
	f.join("good")
	f.submit(cpu("s", items(40)))
	f.hand("good", done(f.take("good")))
	held := f.claim("bad").Tasks
	for _, a := range held[:5] {
		f.pass(time.Second)
		f.hand("bad", exit1(a))
	}
	f.hand("bad", done(held[5]))
	f.expect(f.why("bad"), candor.ReasonRunning)
	if f.s.workers["bad"].quarantined == nil {
		t.Error("a task from before lets it in")
	}
}
