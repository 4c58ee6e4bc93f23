package sqlite

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/sched"
)

var update = flag.Bool("update", false, "write the golden state directory of this version")

// golden is the directory that this version writes. An earlier version's is
// never written again: each schema has a directory of its own.
const golden = "testdata/v3"

// goldenState is what that directory holds, by way of the seam.
type goldenState struct {
	Snapshot *sched.Snapshot
	Events   []candor.Event
	Attempts []candor.Attempt
}

// TestStateOfAnEarlierVersionOpens opens copies of what earlier versions wrote.
func TestStateOfAnEarlierVersionOpens(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	for _, version := range []string{"testdata/v1", "testdata/v2", golden} {
		t.Run(filepath.Base(version), func(t *testing.T) { opensWhole(t, version) })
	}
}

func opensWhole(t *testing.T, version string) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(version)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(version, "want.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want goldenState
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	got := readGolden(t, s)
	if got.Snapshot.Meta.NextLease <= want.Snapshot.Meta.NextLease {
		t.Errorf("leases go on with %d, want a gap behind %d", got.Snapshot.Meta.NextLease, want.Snapshot.Meta.NextLease)
	}
	want.Snapshot.Meta.NextLease = got.Snapshot.Meta.NextLease
	// What a later version added is written as the zero of what it reads.
	if d := cmp.Diff(want.text(t), got.text(t)); d != "" {
		t.Errorf("an earlier version's state (-want +got):\n%s", d)
	}
	c := &sched.Changes{Revision: want.Snapshot.Revision + 1, Meta: want.Snapshot.Meta}
	r := want.Snapshot.Batches[0].Tasks[5]
	r.State, r.Attempt, r.Worker, r.Lease, r.StartedAt = candor.TaskProcessing, 1, "worker-2", 99, noon
	c.Tasks = []sched.TaskRecord{r}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Errorf("it cannot be gone on with: %v", err)
	}
}

func readGolden(t *testing.T, s *Store) (g goldenState) {
	t.Helper()
	var err error
	if g.Snapshot, err = s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.Events, err = s.Events(t.Context(), candor.EventQuery{}); err != nil {
		t.Fatal(err)
	}
	if g.Attempts, err = s.Attempts(t.Context(), g.Snapshot.Batches[0].Tasks[4].ID); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g goldenState) text(t *testing.T) string {
	t.Helper()
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// writeGolden writes a small state with something of everything.
func writeGolden(t *testing.T) {
	if err := os.RemoveAll(golden); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: golden, Seed: 20260207})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := submit(t, s, 6, number)
	for i := range 4 {
		c := f.round(i, 1)
		if i == 3 {
			f.enrich(c, snap.Meta)
		}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	text := readGolden(t, s).text(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(golden, lockName)); err != nil { // names this machine
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(golden, "want.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// enrich adds to a commit what a smooth run never has.
func (f *farm) enrich(c *sched.Changes, meta sched.Meta) {
	reason := candor.NewReason(candor.ReasonExitCode, "exit 3").With("code", "3").Do("candor retry")
	last := candor.Attempt{Number: 1, Worker: "worker-1", Lease: 5, StartedAt: noon, FinishedAt: noon.Add(time.Second), Outcome: candor.AttemptFailed,
		Counted: true, Reason: reason, Tail: "no such file", Exit: &candor.Exit{Code: 3, CPU: candor.Duration(1234567890)}}
	failed := sched.TaskRecord{ID: f.first + 4, Batch: f.batch, Index: 4, Item: number(4), Was: candor.TaskQueued, State: candor.TaskFailed, Attempt: 1, Counted: 1, Tries: 1,
		Worker: "worker-1", Lease: 5, QueuedAt: noon, StartedAt: noon, FinishedAt: noon.Add(time.Second), Reason: reason, Last: &last, Avoid: []string{"worker-1"}}
	c.Tasks = append(c.Tasks, failed)
	c.Attempts = []sched.AttemptRecord{{Task: failed.ID, Batch: f.batch, Attempt: last}}
	c.NewBatches = []sched.BatchRecord{{ID: meta.NextBatch + 1, Name: "ended", Key: "k", State: candor.BatchComplete, Outcome: candor.OutcomeSucceeded,
		CreatedAt: noon, FinishedAt: noon, ExpiresAt: noon, PlanFile: "p.yaml", PlanDir: "/p", Inputs: json.RawMessage(`{"a": 1}`), Counts: map[candor.TaskState]int{}}}
	c.NewSteps = []sched.StepRecord{{Batch: f.batch, Number: 1, Step: candor.Step{Name: "later", Class: candor.ClassLLM, Model: "m", Timeout: candor.Duration(26 * time.Hour)}}}
	c.Workers = []sched.WorkerRecord{{Info: candor.WorkerInfo{Name: "worker-1", Host: "rig", PID: 12, Classes: candor.Classes(), Slots: 2},
		Session: 1, State: candor.WorkerReady, JoinedAt: noon, SeenAt: noon, Completed: 1,
		Account: &candor.Account{From: noon, To: noon.Add(time.Minute), Sums: map[candor.ReasonCode]candor.Duration{candor.ReasonRunning: candor.Duration(time.Minute)}}}}
	c.Models = []sched.ModelRecord{{Name: "m", VRAM: 5 * candor.GiB, Load: 40 * time.Second, Run: time.Second, Loads: 1, Runs: 2}}
	c.Pauses, c.PausesSet = []candor.Pause{{Scope: "all", By: "ann", Why: "lunch", At: noon}}, true
	f.meta.NextBatch++
	c.NewBatches = append(c.NewBatches, sched.BatchRecord{ID: meta.NextBatch + 2, Kind: candor.BatchOrder, Name: "load_llm m", State: candor.BatchComplete,
		Outcome: candor.OutcomeSucceeded, CreatedAt: noon, FinishedAt: noon, Counts: map[candor.TaskState]int{}})
	f.meta.NextBatch++
	c.Meta = f.meta
}
