package sched

import (
	"testing"
	"time"

	"candor"
)

// TestCancelGoesInSlices: of a large batch nothing is handed out from the
// instant of the cancelling, its tasks end some in each round, and it is
// complete when the last of them is final.
func TestCancelGoesInSlices(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w")
	reply := f.submit(cpu("many", items(closingSlice*2)), cpu("after", items(closingSlice/2), needs("many")))
	running := f.take("w")
	other := f.submit(cpu("other"))
	f.s.Take()

	ch := f.do(Cancel{change(reply.Batch.String())}).(candor.ChangeReply)
	open := closingSlice*5/2 - closingSlice
	if got := ch.Changed[0]; got.Tasks != closingSlice*5/2 || got.Pending != open {
		t.Fatalf("the answer is %+v, want %d pending", got, open)
	}
	b := f.s.batches[reply.Batch]
	last := f.tasksOf(reply.Batch)[closingSlice*5/2-1]
	f.expect(f.why(last.id), candor.ReasonCancelled, "about to be ended", "cancelled by ann at 2026-02-07T21:45:00.000Z (cleaning)")
	f.expect(f.why(b.steps[0].tasks[closingSlice*2-1].id), candor.ReasonCancelled, "about to be ended")
	if _, err := f.try(Retry{change(reply.Batch.String())}); candor.CodeOf(err) != candor.CodeRetry {
		t.Errorf("a retry meanwhile: %v", err)
	}
	f.hand("w", ended(running, candor.AttemptAborted, candor.ReasonCancelled, "ended"))
	beside := f.take("w")
	if got := f.s.tasks.find(beside.Task).batch().rec.ID; got != other.Batch {
		t.Errorf("beside it a task of %s was handed out, want the other batch's", got)
	}
	for rounds := 0; b.rec.State == candor.BatchActive; rounds++ {
		if c := f.s.Take(); rounds > 3 || c != nil && len(c.Tasks) > closingSlice+10 {
			t.Fatalf("round %d changes %+v", rounds, len(c.Tasks))
		}
		if next := f.s.Next(); next.After(f.now) {
			t.Fatalf("the loop sleeps until %s with tasks to end", next)
		}
		f.do(Tick{})
	}
	if b.counts[cancelled] != closingSlice*5/2 || b.rec.Outcome != candor.OutcomeCancelled || f.s.Closing() {
		t.Errorf("the batch is %s with %v", b.rec.Outcome, b.counts)
	}
	if tasks := f.tasksOf(reply.Batch); tasks[1].reason() != last.reason() || tasks[1].run != last.run {
		t.Error("each ended task has a reason of its own")
	}
	f.do(Retry{change(reply.Batch.String())})
	if b.counts[queued] != closingSlice*2 || b.counts[blocked] != closingSlice/2 {
		t.Errorf("after the retry: %v", b.counts)
	}
	if got := f.claim("w", done(beside)); len(got.Tasks) != 1 {
		t.Errorf("after the retry nothing is handed out: %+v", got.Report)
	}
}

// TestCancelGoesOnAfterRestart: the mark is durable with the first round; a
// brain that starts in between ends the rest, for the same reason.
func TestCancelGoesOnAfterRestart(t *testing.T) {
	disk := newDisk()
	f := newFarm(t, Config{})
	f.s = New(Config{}, disk.load())
	save := func() {
		if err := disk.commit(f.s.Take()); err != nil {
			t.Fatal(err)
		}
	}
	const few = 50 // a round ends so many
	f.s.slice = few
	reply := f.submit(cpu("many", items(few*2)))
	save()
	f.do(Cancel{change(reply.Batch.String())})
	save()

	f.s = New(Config{}, disk.load())
	f.s.slice = few
	f.now = f.now.Add(time.Minute)
	f.join("w")
	if got := f.claim("w"); len(got.Tasks) > 0 {
		t.Errorf("after the restart %+v was handed out", got.Tasks)
	}
	f.do(Tick{})
	save()
	f.do(Tick{})
	b := f.s.batches[reply.Batch]
	if b.rec.State != candor.BatchComplete || b.counts[cancelled] != few*2 {
		t.Fatalf("the batch is %s with %v", b.rec.State, b.counts)
	}
	f.expect(f.why(b.steps[0].tasks[few*2-1].id), candor.ReasonCancelled, "cancelled by ann at 2026-02-07T21:45:00.000Z (cleaning)")
}
