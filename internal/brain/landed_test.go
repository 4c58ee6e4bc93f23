package brain_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/clock"
	"candor/internal/sched"
	"candor/internal/store/sqlite"
)

// TestLandedStatesAreWorkedOff opens what earlier programs left behind, finds in
// it what they had told, and works off the rest. Each state was written by the
// program of the commit that names its folder: a plan with three good tasks, a
// failed one, one that needs it and two that no worker could take, and a paused
// batch of two tasks.
func TestLandedStatesAreWorkedOff(t *testing.T) {
	const folder = "testdata/landed"
	states, err := os.ReadDir(folder)
	if err != nil || len(states) == 0 {
		t.Fatalf("no state of an earlier program: %v", err)
	}
	for _, state := range states {
		t.Run(state.Name(), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(folder, state.Name()))); err != nil {
				t.Fatal(err)
			}
			worksOff(t, startOn(t, dir))
		})
	}
}

// startOn runs a brain on a state directory that is there.
func startOn(t *testing.T, dir string) *rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, func(o *brain.Options) {
		if err := o.Store.Close(); err != nil {
			t.Fatal(err)
		}
		o.Store.(*shelf).Store, o.Clock = st, clock.System()
	})
}

func worksOff(t *testing.T, r *rig) {
	find := func(key string) candor.Batch {
		t.Helper()
		id, err := r.shelf.BatchByKey(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.shelf.Batch(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	landed, paused := find("landed"), find("paused")
	if n := landed.Counts; n[candor.TaskComplete] != 3 || n[candor.TaskFailed] != 1 || n[candor.TaskCancelled] != 1 || n[candor.TaskQueued] != 2 {
		t.Errorf("of the plan are %v", n)
	}
	st := r.status()
	if len(st.Pauses) != 1 || st.Pauses[0].Target != paused.ID.String() || st.Pauses[0].Why != "lunch" || st.Queue[candor.ClassCPU] != 4 || st.Batches != 2 {
		t.Errorf("the status is %+v", st)
	}
	failed, err := r.shelf.Tasks(t.Context(), candor.TaskQuery{Batch: landed.ID, State: candor.TaskFailed})
	if err != nil || len(failed) != 1 || failed[0].Last == nil || failed[0].Reason.Code != candor.ReasonExitCode {
		t.Fatalf("failed are %+v, %v", failed, err)
	}
	if events, err := r.shelf.Events(t.Context(), candor.EventQuery{Task: failed[0].ID}); err != nil || len(events) == 0 {
		t.Errorf("the failed task has the events %+v, %v", events, err)
	}

	must[candor.ChangeReply](r, sched.Resume{Req: candor.ChangeRequest{Targets: []string{paused.ID.String()}}})
	must[candor.ChangeReply](r, sched.Retry{Req: candor.ChangeRequest{Targets: []string{landed.ID.String()}}})
	session := must[candor.RegisterReply](r, sched.Register{Req: candor.RegisterRequest{
		Protocol: candor.Protocol, Verified: true,
		Info: candor.WorkerInfo{Name: "worker-2", Host: "rig", PID: 2, Classes: []candor.Class{candor.ClassCPU}, Slots: 8, Labels: []string{"later"}},
	}}).Session
	for range 10 {
		reply := must[candor.ClaimReply](r, claim("worker-2", session, 8, 0))
		if len(reply.Tasks) == 0 {
			break
		}
		must[candor.ClaimReply](r, claim("worker-2", session, 0, 0, done(reply, candor.AttemptDone)...))
	}
	for _, key := range []string{"landed", "paused"} {
		if b := find(key); b.Outcome != candor.OutcomeSucceeded || b.FinishedAt.Before(time.Now().Add(-time.Hour)) {
			t.Errorf("%s is %s, %s: %v", key, b.State, b.Outcome, b.Counts)
		}
	}
}
