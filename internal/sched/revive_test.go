package sched

import (
	"testing"

	"candor"
)

// TestRetryOfAllThatFailed names no batch, and leaves alone what was cancelled,
// what is of another class, and what did not fail.
func TestRetryOfAllThatFailed(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("worker-1")
	first := f.submit(cpu("one", items(2))).Batch
	f.hand("worker-1", exit1(f.take("worker-1")))
	f.hand("worker-1", done(f.take("worker-1")))
	second := f.submit(cpu("two")).Batch
	f.hand("worker-1", exit1(f.take("worker-1")))
	ended := f.submit(cpu("three")).Batch
	f.do(Cancel{change(ended.String())})

	req := candor.ChangeRequest{Targets: []string{"all"}, Failed: true, DryRun: true}
	if reply := f.do(Retry{req}).(candor.ChangeReply); len(reply.Changed) != 2 || reply.Changed[0].Batch != first || reply.Changed[1].Tasks != 1 {
		t.Fatalf("dry run: %+v", reply)
	}
	other := req
	other.Class = candor.ClassScript
	if reply := f.do(Retry{other}).(candor.ChangeReply); len(reply.Changed) != 1 || reply.Changed[0].Text != "all: nothing to retry" {
		t.Fatalf("of another class: %+v", reply)
	}
	req.DryRun = false
	f.do(Retry{req})
	for id, want := range map[candor.BatchID]int{first: 1, second: 1, ended: 0} {
		n := 0
		for _, task := range f.tasksOf(id) {
			if task.state == queued {
				n++
			}
		}
		if n != want {
			t.Errorf("%s has %d queued tasks, want %d", id, n, want)
		}
	}
	if _, err := f.try(Retry{candor.ChangeRequest{Targets: []string{"all"}}}); candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("a retry of all that was cancelled: %v", err)
	}
}
