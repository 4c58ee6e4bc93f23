package brain_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/sched"
)

// evicted runs a batch whose one task fails, lets it leave memory, and hands
// over to f.
func evicted(t *testing.T, f func(t *testing.T, r *rig, session int64, batch candor.BatchID, task candor.TaskID)) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, func(o *brain.Options) { o.Sched.Linger = time.Minute })
		session := r.join("worker-1", 1)
		batch := must[candor.SubmitReply](r, sched.Submit{Sub: plan(1, "nightly")}).Batch
		reply := must[candor.ClaimReply](r, claim("worker-1", session, 1, 0))
		must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, done(reply, candor.AttemptFailed)...))
		time.Sleep(5 * time.Minute) // of the bubble
		if refs := must[sched.Refs](r, sched.Resolve{Prefix: batch.String()}); len(refs.Batches) != 0 {
			t.Fatalf("the batch is still in memory: %+v", refs)
		}
		session = r.join("worker-1", 1)
		f(t, r, session, batch, reply.Tasks[0].Task)
	})
}

func TestRetryOfABatchThatLeftMemory(t *testing.T) {
	for _, name := range []string{"batch", "task", "prefix", "all"} {
		t.Run(name, func(t *testing.T) {
			evicted(t, func(t *testing.T, r *rig, session int64, batch candor.BatchID, task candor.TaskID) {
				target := map[string]string{"batch": batch.String(), "task": task.String(), "prefix": task.String()[:6], "all": "all"}[name]
				reply := must[candor.ChangeReply](r, sched.Retry{Req: candor.ChangeRequest{Targets: []string{target}, Failed: true}})
				if len(reply.Changed) != 1 || reply.Changed[0].Tasks != 1 {
					t.Errorf("the retry says %+v", reply)
				}
				claimed := must[candor.ClaimReply](r, claim("worker-1", session, 1, 0))
				if len(claimed.Tasks) != 1 || claimed.Tasks[0].Task != task || claimed.Tasks[0].Attempt != 2 {
					t.Fatalf("the task that is handed out is %+v, want %s again", claimed, task)
				}
				must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, done(claimed, candor.AttemptDone)...))
				b, err := r.shelf.Batch(t.Context(), batch)
				if err != nil || b.Outcome != candor.OutcomeSucceeded {
					t.Errorf("the batch ended %+v, %v", b, err)
				}
			})
		})
	}
}

func TestWhyOfATaskThatLeftMemory(t *testing.T) {
	evicted(t, func(t *testing.T, r *rig, _ int64, _ candor.BatchID, task candor.TaskID) {
		x := must[candor.Explanation](r, sched.Why{Target: task.String()})
		if x.Task == nil || x.Task.ID != task || !strings.Contains(x.Reason.Text, "exit 1") {
			t.Errorf("why says %+v", x.Reason)
		}
	})
}

// TestKeyOfABatchThatLeftMemory is as taken as that of one in memory.
func TestKeyOfABatchThatLeftMemory(t *testing.T) {
	evicted(t, func(t *testing.T, r *rig, _ int64, batch candor.BatchID, _ candor.TaskID) {
		err := r.refused(sched.Submit{Sub: plan(1, "nightly")}, candor.CodeConflict)
		if !strings.Contains(err.Error(), batch.String()) {
			t.Errorf("the refusal does not name the batch: %v", err)
		}
		if st := r.status(); st.Batches != 0 {
			t.Errorf("something was created: %+v", st)
		}
		must[candor.SubmitReply](r, sched.Submit{Sub: plan(1, "weekly")})
		r.refused(sched.Submit{Sub: plan(1, "weekly")}, candor.CodeConflict)
	})
}

func TestRecallOfNothing(t *testing.T) {
	r := start(t)
	r.submit(1)
	for _, target := range []string{candor.TaskID(1 << 38).String(), "worker-9", "t_", "%", "'; drop table tasks; --"} {
		t.Run(fmt.Sprintf("%q", target), func(t *testing.T) {
			reply, err := r.Do(t.Context(), sched.Retry{Req: candor.ChangeRequest{Targets: []string{target}}})
			if code := candor.CodeOf(err); err == nil || code != candor.CodeNotFound && code != candor.CodeInvalid && code != candor.CodeAmbiguous {
				t.Errorf("%+v, %v", reply, err)
			}
		})
	}
}

// TestResultOfATaskThatLeftMemory: the answer to a delivery was lost, and the
// batch ended with it. Sent again, it is not told to be refused, neither after the
// batch has left memory nor after a restart.
func TestResultOfATaskThatLeftMemory(t *testing.T) {
	for _, outcome := range []candor.AttemptOutcome{candor.AttemptDone, candor.AttemptFailed} {
		for _, road := range []string{"left", "restarted"} {
			t.Run(string(outcome)+" "+road, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := start(t, func(o *brain.Options) { o.Sched.Linger = time.Minute })
					session := r.join("worker-1", 1)
					must[candor.SubmitReply](r, sched.Submit{Sub: plan(1, "")})
					results := done(must[candor.ClaimReply](r, claim("worker-1", session, 1, 0)), outcome)
					must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, results...))
					if road == "left" {
						time.Sleep(5 * time.Minute) // of the bubble
					} else {
						r.restart()
					}
					session = r.join("worker-1", 1)
					for _, c := range []struct {
						lease   int64
						verdict candor.ResultVerdict
						text    string
					}{
						{results[0].Lease, candor.ResultRepeated, "recorded before"},
						{results[0].Lease - 1, candor.ResultFenced, "its batch has ended, and the task is "},
					} {
						again := results[0]
						again.Lease = c.lease
						reply := must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, again))
						if len(reply.Results) != 1 || reply.Results[0].Verdict != c.verdict || !strings.HasPrefix(reply.Results[0].Text, c.text) {
							t.Errorf("lease %d: %+v", c.lease, reply.Results)
						}
					}
					for lease, verdict := range map[int64]candor.ResultVerdict{
						1: candor.ResultUnknown, 1 << 38: candor.ResultUnknown, // of another store
						results[0].Lease: candor.ResultFenced, // its batch was removed
					} {
						r := must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, candor.Result{Task: 1 << 38, Lease: lease, Outcome: candor.AttemptDone}))
						if r.Results[0].Verdict != verdict {
							t.Errorf("of no task here, under lease %d: %+v", lease, r.Results)
						}
					}
				})
			})
		}
	}
}
