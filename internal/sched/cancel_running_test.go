package sched

import (
	"testing"
	"time"

	"candor"
)

// runCancelled is a farm on which w1 runs two tasks of a batch that ann cancels
// half a minute after they began, stored.
func runCancelled(t *testing.T) (f *farm, disk *disk, tasks []candor.Assignment) {
	t.Helper()
	disk, f = newDisk(), newFarm(t, Config{})
	f.s = New(Config{}, disk.load())
	f.join("w1", func(in *candor.WorkerInfo) { in.Slots = 2 })
	b := f.submit(cpu("s", items(2))).Batch
	tasks = f.claim("w1").Tasks
	f.now = f.now.Add(30 * time.Second)
	f.do(Cancel{change(b.String())})
	f.store(disk)
	return f, disk, tasks
}

func (f *farm) store(disk *disk) {
	f.t.Helper()
	if c := f.s.Take(); c != nil {
		if err := disk.commit(c); err != nil {
			f.t.Fatal(err)
		}
	}
}

const byAnn = "cancelled by ann at 2026-02-07T21:45:30.000Z (cleaning)"

// A task that was cancelled while it ran says who did that, when, and why: while
// it is ended, once it has, and to whoever reads the event or the record later.
func TestATaskCancelledWhileItRanSaysByWhom(t *testing.T) {
	f, disk, tasks := runCancelled(t)
	first := tasks[0]
	r := f.why(first.Task)
	f.expect(r, candor.ReasonAborting, "is being ended on w1: "+byAnn)
	if !r.Since.Equal(f.now) {
		t.Errorf("it is being ended since %s", r.Since)
	}
	f.now = f.now.Add(time.Second)
	f.hand("w1", ended(first, candor.AttemptAborted, candor.ReasonCancelled, "ended on order"))
	const want = byAnn + " while it ran on w1; its processes are gone"
	f.expect(f.why(first.Task), candor.ReasonCancelled, want)
	c := f.s.Take()
	has(t, c.Events[0].Text, "cancelled on w1: "+want)
	if err := disk.commit(c); err != nil {
		t.Fatal(err)
	}
	f.s = New(Config{}, disk.load())
	f.expect(f.why(first.Task), candor.ReasonCancelled, want)
}

// What ends after a restart of the brain still knows by whose order.
func TestATaskCancelledBeforeARestartSaysByWhom(t *testing.T) {
	f, disk, tasks := runCancelled(t)
	f.s = New(Config{}, disk.load())
	r := f.why(tasks[0].Task)
	f.expect(r, candor.ReasonAborting, byAnn)
	if !r.Since.Equal(f.now) {
		t.Errorf("it is being ended since %s", r.Since)
	}
	if abort := f.beat("w1", tasks[0].Lease, tasks[1].Lease).Abort; len(abort) != 2 || abort[0].Text != byAnn {
		t.Errorf("its worker is told %+v", abort)
	}
	f.hand("w1", ended(tasks[0], candor.AttemptAborted, candor.ReasonCancelled, "ended on order"))
	f.expect(f.why(tasks[0].Task), candor.ReasonCancelled, byAnn, "while it ran on w1")
}

// Of one whose worker does not answer any more nobody says that its processes are gone.
func TestATaskCancelledOnALostWorkerSaysHowThatEnded(t *testing.T) {
	f, _, tasks := runCancelled(t)
	f.pass(10 * time.Minute)
	f.expect(f.why(tasks[0].Task), candor.ReasonCancelled, byAnn+" while it ran on w1; w1 silent for 10m")
}

// A state that an earlier version wrote does not know by whom.
func TestACancelOfAnEarlierVersionIsTold(t *testing.T) {
	f, disk, tasks := runCancelled(t)
	snap := disk.load()
	for i := range snap.Batches[0].Tasks {
		snap.Batches[0].Tasks[i].AbortText, snap.Batches[0].Tasks[i].AbortAt = "", time.Time{}
	}
	f.s = New(Config{}, snap)
	r := f.why(tasks[0].Task)
	f.expect(r, candor.ReasonAborting, "is being ended on w1: cancelled")
	if r.Since.IsZero() {
		t.Error("since never")
	}
	f.hand("w1", ended(tasks[0], candor.AttemptAborted, candor.ReasonCancelled, "ended on order"))
	f.expect(f.why(tasks[0].Task), candor.ReasonCancelled, "cancelled while it ran on w1; its processes are gone")
}
