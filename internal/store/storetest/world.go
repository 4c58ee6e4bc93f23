package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/sched"
	"candor/internal/store"
)

// fataler is what testing.T, testing.B and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// noon is when things happen: microseconds are kept, zones are not.
func noon() time.Time { return time.Date(2026, 2, 7, 12, 0, 0, 123456000, time.UTC) }

// world is a brain's side of a store: it numbers things and makes changes.
type world struct {
	t        fataler
	f        Factory
	s        store.Store
	meta     sched.Meta
	revision int64
}

func open(t *testing.T, f Factory) *world {
	t.Helper()
	w := &world{t: t, f: f}
	w.reopen()
	t.Cleanup(func() {
		if err := w.s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// reopen closes the store, if it is open, and opens it again.
func (w *world) reopen() {
	w.t.Helper()
	if w.s != nil {
		if err := w.s.Close(); err != nil {
			w.t.Fatalf("close: %v", err)
		}
	}
	s, err := w.f.Open(bg())
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	w.s = s
	snap := w.load()
	if snap.Meta.NextLease <= w.meta.NextLease {
		w.t.Fatalf("leases go on with %d, and %d may have been given out since", snap.Meta.NextLease, w.meta.NextLease)
	}
	w.meta, w.revision = snap.Meta, snap.Revision
}

func (w *world) load() *sched.Snapshot {
	w.t.Helper()
	snap, err := w.s.Load(bg())
	if err != nil {
		w.t.Fatalf("load: %v", err)
	}
	return snap
}

func (w *world) loadBatch(id candor.BatchID) *sched.LoadedBatch {
	w.t.Helper()
	b, err := w.s.LoadBatch(bg(), id)
	if err != nil {
		w.t.Fatalf("load batch %s: %v", id, err)
	}
	return b
}

// try commits changes under the next revision.
func (w *world) try(c *sched.Changes) error {
	c.Revision, c.Meta = w.revision+1, w.meta
	err := w.s.Commit(bg(), c)
	if err == nil {
		w.revision++
	}
	return err
}

func (w *world) commit(c *sched.Changes) {
	w.t.Helper()
	if err := w.try(c); err != nil {
		w.t.Fatalf("commit: %v", err)
	}
}

// refuse commits changes that must be refused with a code, and leave nothing.
func (w *world) refuse(code candor.Code, c *sched.Changes) {
	w.t.Helper()
	before := w.load()
	err := w.try(c)
	if err == nil || candor.CodeOf(err) != code {
		w.t.Fatalf("commit: got %v (%s), want %s", err, candor.CodeOf(err), code)
	}
	w.same("the state after a refused commit", w.load(), before)
}

func (w *world) same(what string, got, want any) {
	w.t.Helper()
	if reflect.DeepEqual(got, want) {
		return // far faster than Diff, and nearly always the case
	}
	if d := cmp.Diff(want, got, equal()...); d != "" {
		w.t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// batch makes a batch with steps of so many tasks each; 0 is one task without fan-out.
func (w *world) batch(name string, sizes ...int) *sched.Changes {
	id := w.meta.NextBatch
	w.meta.NextBatch++
	c := &sched.Changes{}
	total := 0
	for number, size := range sizes {
		step := candor.Step{Name: fmt.Sprintf("step%d", number), Class: candor.ClassCPU, Run: "true"}
		n, index := 1, -1
		if size > 0 {
			n, index, step.Each = size, 0, &candor.Each{}
		}
		for i := range n {
			r := sched.TaskRecord{ID: w.meta.NextTask, Batch: id, Step: number, Index: index, State: candor.TaskQueued, Tries: 1, QueuedAt: noon()}
			w.meta.NextTask++
			if size > 0 {
				r.Index = i
				r.Item = json.RawMessage(fmt.Sprintf(`{"n": %d}`, i))
			}
			c.NewTasks = append(c.NewTasks, r)
		}
		c.NewSteps = append(c.NewSteps, sched.StepRecord{Batch: id, Number: number, Step: step, Expanded: true, Total: n})
		total += n
	}
	c.NewBatches = []sched.BatchRecord{{ID: id, Name: name, State: candor.BatchActive, CreatedAt: noon(), Total: total}}
	return c
}

// submit commits a batch and returns its tasks as stored.
func (w *world) submit(name string, sizes ...int) (candor.BatchID, []sched.TaskRecord) {
	w.t.Helper()
	c := w.batch(name, sizes...)
	w.commit(c)
	id := c.NewBatches[0].ID
	return id, w.loadBatch(id).Tasks
}

// claim is a task as a worker has just claimed it.
func (w *world) claim(r sched.TaskRecord, worker string) sched.TaskRecord {
	r.Was, r.WasLease = r.State, r.Lease
	r.State, r.Worker, r.Lease, r.StartedAt = candor.TaskProcessing, worker, w.meta.NextLease, noon().Add(time.Second)
	r.Attempt++
	w.meta.NextLease++
	return r
}

// end is a task as its attempt left it.
func end(r sched.TaskRecord, state candor.TaskState) sched.TaskRecord {
	r.Was, r.WasLease = r.State, r.Lease
	r.State, r.FinishedAt = state, noon().Add(3*time.Second)
	return r
}

// drain commits that tasks were claimed and ended.
func (w *world) drain(tasks []sched.TaskRecord, worker string, state candor.TaskState) {
	w.t.Helper()
	var claims, ends sched.Changes
	for _, r := range tasks {
		r = w.claim(r, worker)
		claims.Tasks, ends.Tasks = append(claims.Tasks, r), append(ends.Tasks, end(r, state))
	}
	w.commit(&claims)
	w.commit(&ends)
}

// finish commits that a batch is complete.
func (w *world) finish(id candor.BatchID, at time.Time) {
	w.t.Helper()
	b := w.loadBatch(id).Batch
	b.Was, b.State, b.Outcome, b.FinishedAt = b.State, candor.BatchComplete, candor.OutcomeSucceeded, at
	b.Counts = map[candor.TaskState]int{candor.TaskComplete: b.Total}
	w.commit(&sched.Changes{Batches: []sched.BatchRecord{b}})
}
