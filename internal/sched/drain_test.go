package sched

import (
	"testing"
	"time"

	"candor"
)

func TestDrainLetsWorkEndAndTakesNothingNew(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s", items(2)))
	a := f.take("w1")
	f.do(Drain{change("worker:w1")})
	if !f.beat("w1", a.Lease).Draining {
		t.Fatal("it is not told")
	}
	f.hand("w1", done(a))
	if r := f.claim("w1"); len(r.Tasks) > 0 || r.Report.Refused[candor.ReasonDraining] != 1 {
		t.Fatalf("%+v", r.Report)
	}
	f.expect(f.why("w1"), candor.ReasonDraining)
	f.do(Undrain{change("worker:w1")})
	f.take("w1")
}

// A drained worker says who drains it, since when, and what undoes it, after a
// restart of the brain too; and so does a task that only it could take.
func TestADrainedWorkerSaysByWhom(t *testing.T) {
	disk, f := newDisk(), newFarm(t, Config{})
	f.s = New(Config{}, disk.load())
	f.join("w1")
	b := f.submit(cpu("s", items(2))).Batch
	a := f.take("w1")
	f.now = f.now.Add(time.Minute)
	f.do(Drain{change("worker:w1")})
	const byAnn = "drained by ann at 2026-02-07T21:46:00.000Z (cleaning)"
	f.expect(f.why("w1"), candor.ReasonRunning, "w1 runs 1 task", "it is "+byAnn+": it takes nothing new")
	f.hand("w1", done(a))
	f.store(disk)
	check := func() {
		t.Helper()
		x := f.do(Why{"w1"}).(candor.Explanation)
		f.expect(x.Reason, candor.ReasonDraining, "w1 is "+byAnn)
		if x.Reason.Next != "candor worker undrain w1" || x.Worker.Drained == nil || x.Worker.Drained.By != "ann" {
			t.Errorf("next %q, drained %+v", x.Reason.Next, x.Worker.Drained)
		}
		r := f.why(f.tasksOf(b)[1].id)
		f.expect(r, candor.ReasonDraining, "w1: "+byAnn)
		if r.Next != "candor worker undrain w1" {
			t.Errorf("the task's next is %q", r.Next)
		}
	}
	check()
	if r := f.why("w1"); !r.Since.Equal(f.now) {
		t.Errorf("since %s", r.Since)
	}
	f.s = New(Config{}, disk.load())
	f.now = f.now.Add(time.Minute)
	check()
	f.do(Undrain{change("worker:w1")})
	f.store(disk)
	if snap := disk.load(); snap.Workers[0].Drain != nil || snap.Workers[0].Draining {
		t.Errorf("it is stored as drained: %+v", snap.Workers[0])
	}
	f.join("w1")
	f.take("w1")
}

// An earlier version did not say by whom.
func TestADrainOfAnEarlierVersionIsNamed(t *testing.T) {
	f := newFarm(t, Config{})
	f.s = New(Config{}, &Snapshot{Workers: []WorkerRecord{{Info: candor.WorkerInfo{Name: "w1", Classes: candor.Classes(), Slots: 1}, Session: 1, State: candor.WorkerReady, Draining: true}}})
	f.do(Tick{})
	r := f.why("w1")
	f.expect(r, candor.ReasonDraining, "w1 is drained: it takes nothing new")
	if r.Next != "candor worker undrain w1" || r.Since.IsZero() {
		t.Errorf("%+v", r)
	}
}
