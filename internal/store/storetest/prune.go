package storetest

import (
	"slices"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
	"candor/internal/store"
)

func keep(age time.Duration, size candor.Bytes) store.Retention {
	return store.Retention{Age: age, Size: size}
}

func testPruneAge(t *testing.T, f Factory) {
	w := open(t, f)
	ended := func(n int, at time.Time) (candor.BatchID, []sched.TaskRecord) {
		id, tasks := w.submit("b", n, 3)
		w.drain(tasks, "worker-1", candor.TaskComplete)
		w.commit(&sched.Changes{Attempts: []sched.AttemptRecord{{Task: tasks[0].ID, Batch: id, Attempt: fullAttempt(1)}}})
		w.finish(id, at)
		return id, tasks
	}
	old, gone := ended(12_000, noon())
	recent, _ := ended(10, noon().Add(time.Hour))
	active, _ := w.submit("active", 10)
	events := w.history(300, 10, old)
	now := noon().Add(time.Hour + 100*time.Second)

	if done, err := w.s.Prune(bg(), now, store.Retention{}); err != nil || !done.Nothing() {
		t.Fatalf("zero keeps everything: %+v, %v", done, err)
	}
	done, err := w.s.Prune(bg(), now, keep(time.Hour, 0))
	if err != nil || !slices.Equal(done.Batches, []candor.BatchID{old}) || done.Tasks != 12_003 || done.Events != 100 {
		t.Fatalf("pruned %+v, %v", done, err)
	}
	if _, err := w.s.LoadBatch(bg(), old); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("the old batch: %v", err)
	}
	for _, r := range []sched.TaskRecord{gone[0], gone[11_999], gone[12_002]} {
		if _, err := w.s.Task(bg(), r.ID); candor.CodeOf(err) != candor.CodeNotFound {
			t.Errorf("a task of the old batch: %v", err)
		}
		if refs, err := w.s.Resolve(bg(), r.ID.String(), 2); err != nil || len(refs.Tasks) > 0 {
			t.Errorf("a task of the old batch is found by its id: %v, %v", refs, err)
		}
	}
	for _, id := range []candor.BatchID{recent, active} {
		if b := w.loadBatch(id); b.Tasks[0].Item == nil {
			t.Errorf("batch %s lost its items", id)
		}
	}
	left, err := w.s.Events(bg(), candor.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	w.same("the events left", left, events[100:])
	if done, err := w.s.Prune(bg(), now, keep(time.Hour, 0)); err != nil || !done.Nothing() {
		t.Errorf("pruned again: %+v, %v", done, err)
	}
	fresh, _ := w.submit("after", 5) // ids go on
	w.loadBatch(fresh)
}

func testPruneSize(t *testing.T, f Factory) {
	w := open(t, f)
	var ids []candor.BatchID
	for i := range 4 {
		id, tasks := w.submit("b", 3000)
		w.drain(tasks, "worker-1", candor.TaskComplete)
		w.finish(id, noon().Add(time.Duration(i)*time.Hour))
		ids = append(ids, id)
	}
	active, _ := w.submit("active", 3000)
	w.history(5000, 100, active)
	full, err := w.s.Size(bg())
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.s.Prune(bg(), noon(), keep(0, 300*candor.KiB))
	if err != nil || len(done.Batches) == 0 || done.Batches[0] != ids[0] || done.Events == 0 {
		t.Fatalf("pruned %+v, %v, of %+v", done, err, full)
	}
	if _, err := w.s.Batch(bg(), ids[0]); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("the oldest batch is still there: %v", err)
	}
	w.loadBatch(active)
	done, err = w.s.Prune(bg(), noon(), keep(0, 1)) // nothing but what is live
	if err != nil {
		t.Fatal(err)
	}
	if left, err := w.s.Batches(bg(), candor.BatchQuery{}); err != nil || len(left) != 1 {
		t.Errorf("left after %+v: %v, %v", done, left, err)
	}
}
