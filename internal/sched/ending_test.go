package sched

import (
	"slices"
	"testing"

	"candor"
)

// A retry means what is just being ended as well: it is queued again once its
// worker confirms, and the batch does not end cancelled.
func TestARetryKeepsWhatIsBeingEnded(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s", items(2))).Batch
	a := f.take("w1")
	f.do(Cancel{change(b.String())})
	f.beat("w1", a.Lease) // it is told
	f.told()
	ch := f.do(Retry{change(b.String())}).(candor.ChangeReply).Changed[0]
	if ch.Tasks != 2 || ch.Pending != 1 {
		t.Fatalf("%+v", ch)
	}
	has(t, ch.Text, "1 task queued again, 1 task being ended kept: what its worker ends is queued again then")
	has(t, f.toldOf(candor.EventTaskRevived), "1 task being ended kept", "by ann")
	f.hand("w1", ended(a, candor.AttemptAborted, candor.ReasonCancelled, "ended on order"))
	if f.state(a.Task) != candor.TaskQueued {
		t.Fatal(f.state(a.Task))
	}
	for range 2 {
		f.hand("w1", done(f.take("w1")))
	}
	if got := f.s.batches[b].rec.Outcome; got != candor.OutcomeSucceeded {
		t.Fatal(got)
	}
}

// An order that its worker has not heard of is taken back, and stays so over a
// restart of the brain.
func TestARetryComesBeforeTheOrderToEnd(t *testing.T) {
	f := newFarm(t, Config{})
	d := newDisk()
	f.s = New(Config{}, d.load())
	f.join("w1")
	b := f.submit(cpu("s"))
	a := f.take("w1")
	f.do(Cancel{change(a.Task.String())})
	if err := d.commit(f.s.Take()); err != nil {
		t.Fatal(err)
	}
	ch := f.do(Retry{change(a.Task.String())}).(candor.ChangeReply).Changed[0]
	has(t, ch.Text, a.Task.String()+": 1 task being ended kept")
	if err := d.commit(f.s.Take()); err != nil {
		t.Fatal(err)
	}
	f.s = New(Config{}, d.load())
	f.do(Tick{})
	if abort := f.beat("w1", a.Lease).Abort; len(abort) > 0 {
		t.Fatalf("%+v", abort)
	}
	f.hand("w1", done(a))
	if got := f.s.batches[b.Batch].rec.Outcome; got != candor.OutcomeSucceeded {
		t.Fatal(got)
	}
}

func TestARetryOfFailedTasksKeepsNothing(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("s")).Batch
	a := f.take("w1")
	f.do(Cancel{change(b.String())})
	req := change(b.String())
	req.Failed = true
	for _, req := range []candor.ChangeRequest{req, {Targets: req.Targets, Class: candor.ClassLLM}, {Targets: req.Targets, DryRun: true}} {
		f.do(Retry{req})
		if abort := f.beat("w1", a.Lease).Abort; !slices.ContainsFunc(abort, func(o candor.AbortOrder) bool { return o.Lease == a.Lease }) {
			t.Fatalf("%+v: %+v", req, abort)
		}
	}
}
