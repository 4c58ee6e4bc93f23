package sched

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"candor"
)

// TestForgottenBatchesLeaveNothing: of batches that have left memory nothing is
// kept, whichever way their tasks went: cancelled in the queue, waiting for a
// next try, held back as suspects, taken by a worker.
func TestForgottenBatchesLeaveNothing(t *testing.T) {
	f := newFarm(t, Config{Linger: time.Minute})
	f.join("w", supervised)
	f.s.Take()
	before := heapInUse()
	for range 3 {
		var steps []candor.Step
		for i := range 4 {
			steps = append(steps, cpu(fmt.Sprint("step-", i), items(10_000), retries(3), func(st *candor.Step) { st.Backoff = candor.Duration(time.Hour) }))
		}
		reply := f.submit(steps...)
		f.s.Take()
		f.hand("w", exit1(f.take("w"))) // waits an hour for its next try
		f.take("w")
		f.do(HostSeen{candor.HostReport{Supervisor: "up-1", Workers: []candor.HostWorker{{Name: "w", PID: f.pid, State: "exited", Exit: "signal 9", Clean: true}}}})
		f.s.Take()
		f.join("w", supervised)
		f.do(Cancel{change(reply.Batch.String())})
		for range 20 {
			f.pass(10 * time.Second)
			f.s.Take()
		}
		if n := len(f.s.order); n != 0 {
			t.Fatalf("%d batches are still in memory", n)
		}
	}
	if kept := (int64(heapInUse()) - int64(before)) >> 10; kept > 1024 {
		t.Errorf("%d KiB are kept of three batches that nobody remembers", kept)
	}
	runtime.KeepAlive(f)
}

// TestManyBatchesLeaveAtOnce: the work of forgetting grows with the number of
// batches, not with its square (which would take many times as long as this).
func TestManyBatchesLeaveAtOnce(t *testing.T) {
	f := newFarm(t, Config{Linger: time.Minute})
	const n = 20_000
	for i := range n {
		f.submit(cpu("one", func(st *candor.Step) { st.Requires.Labels = []string{fmt.Sprint("label-", i)} }))
	}
	f.do(Cancel{change("all")})
	for range n / closingSlice {
		f.do(Tick{})
	}
	f.s.Take()
	f.now = f.now.Add(2 * time.Minute)
	f.do(Tick{})
	if len(f.s.order)+len(f.s.shapeList)+len(f.s.tasks) != 0 {
		t.Errorf("%d batches, %d shapes, %d spans are left", len(f.s.order), len(f.s.shapeList), len(f.s.tasks))
	}
}
