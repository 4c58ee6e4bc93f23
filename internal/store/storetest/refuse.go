package storetest

import (
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

// testConflict checks that a wrong expectation undoes the whole commit.
func testConflict(t *testing.T, f Factory) {
	w := open(t, f)
	id, tasks := w.submit("b", 40)
	var claims []sched.TaskRecord
	for _, r := range tasks[:20] {
		claims = append(claims, w.claim(r, "worker-1"))
	}
	w.commit(&sched.Changes{Tasks: claims})
	tasks = w.loadBatch(id).Tasks
	with := func(wrong sched.TaskRecord) *sched.Changes { // others before and behind it are right
		c := w.batch("never", 2)
		for _, r := range tasks[1:5] {
			c.Tasks = append(c.Tasks, end(r, candor.TaskComplete))
		}
		c.Tasks = append(c.Tasks, wrong, w.claim(tasks[30], "worker-9"))
		c.Events = []candor.Event{{Seq: w.meta.NextEvent, At: noon(), Level: candor.LevelInfo, Code: candor.EventMonitor}}
		c.Workers = []sched.WorkerRecord{fullWorker()}
		return c
	}
	twice := w.claim(tasks[0], "worker-2")
	twice.Was, twice.WasLease = candor.TaskQueued, 0
	stale := end(tasks[0], candor.TaskComplete)
	stale.WasLease += 1000
	stale.Lease = stale.WasLease
	unborn := w.claim(tasks[20], "worker-1")
	unborn.ID += 5000
	early := end(tasks[21], candor.TaskComplete)
	early.Was, early.WasLease, early.Lease, early.Worker, early.StartedAt = candor.TaskProcessing, 3, 3, "worker-1", noon()
	for _, c := range []struct {
		name  string
		wrong sched.TaskRecord
	}{
		{"claimed already", twice}, {"another lease", stale}, {"no such task", unborn}, {"not begun", early},
		{"changed twice", end(tasks[1], candor.TaskComplete)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			w.refuse(candor.CodeConflict, with(c.wrong))
		})
	}
	w.t = t
	if events, err := w.s.Events(bg(), candor.EventQuery{}); err != nil || len(events) > 0 {
		t.Fatalf("a refused commit left events: %v (%v)", events, err)
	}
	w.refuseRuns()
	batch := w.loadBatch(id).Batch
	batch.Was = candor.BatchComplete
	w.refuse(candor.CodeConflict, &sched.Changes{Batches: []sched.BatchRecord{batch}})
	w.refuse(candor.CodeConflict, &sched.Changes{Steps: []sched.StepRecord{{Batch: id, Number: 9}}})
	w.refuse(candor.CodeConflict, &sched.Changes{NewTasks: tasks[:1]})
	w.revision -= 2
	w.refuse(candor.CodeConflict, &sched.Changes{Workers: []sched.WorkerRecord{fullWorker()}})
}

// refuseRuns checks that of many neighbours which become the same, each must be
// as its record expects.
func (w *world) refuseRuns() {
	w.t.Helper()
	id, tasks := w.submit("run", 60, 40)
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{w.claim(tasks[45], "worker-1")}})
	var all []sched.TaskRecord
	why := fullReason()
	for _, r := range tasks { // over both steps
		r.Was, r.State, r.FinishedAt, r.Reason = r.State, candor.TaskCancelled, noon(), why
		all = append(all, r)
	}
	w.refuse(candor.CodeConflict, &sched.Changes{Tasks: all})
	all[45] = end(w.loadBatch(id).Tasks[45], candor.TaskComplete)
	w.commit(&sched.Changes{Tasks: all})
	for i, r := range w.loadBatch(id).Tasks {
		w.same("task of a run", r, stored(all[i]))
	}
}

// testLaw checks that rows against the law are refused, new and changed ones.
func testLaw(t *testing.T, f Factory) {
	w := open(t, f)
	id, tasks := w.submit("b", 4)
	w.drain(tasks[:1], "worker-1", candor.TaskComplete)
	tasks = w.loadBatch(id).Tasks
	queued, complete := tasks[1], tasks[0]
	change := func(r sched.TaskRecord, f func(r *sched.TaskRecord)) *sched.Changes {
		f(&r)
		return &sched.Changes{Tasks: []sched.TaskRecord{r}}
	}
	for _, c := range []struct {
		name string
		c    *sched.Changes
		code candor.Code
	}{
		{"queued with a worker", change(queued, func(r *sched.TaskRecord) { r.Worker = "w" }), candor.CodeInternal},
		{"queued with a lease", change(queued, func(r *sched.TaskRecord) { r.Lease = 7 }), candor.CodeInternal},
		{"queued with a start", change(queued, func(r *sched.TaskRecord) { r.StartedAt = noon() }), candor.CodeInternal},
		{"queued with an end", change(queued, func(r *sched.TaskRecord) { r.FinishedAt = noon() }), candor.CodeInternal},
		{"blocked with a worker", change(queued, func(r *sched.TaskRecord) { r.State, r.Worker = candor.TaskBlocked, "w" }), candor.CodeInternal},
		{"processing without a worker", change(w.claim(queued, ""), func(*sched.TaskRecord) {}), candor.CodeInternal},
		{"processing without a lease", change(w.claim(queued, "w"), func(r *sched.TaskRecord) { r.Lease = 0 }), candor.CodeInternal},
		{"processing without a start", change(w.claim(queued, "w"), func(r *sched.TaskRecord) { r.StartedAt = time.Time{} }), candor.CodeInternal},
		{"processing with an end", change(w.claim(queued, "w"), func(r *sched.TaskRecord) { r.FinishedAt = noon() }), candor.CodeInternal},
		{"cancelled without an end", change(queued, func(r *sched.TaskRecord) { r.State = candor.TaskCancelled }), candor.CodeInternal},
		{"a state nobody knows", change(queued, func(r *sched.TaskRecord) { r.State = "asleep" }), candor.CodeInternal},
		{"what is complete moves", change(complete, func(r *sched.TaskRecord) {
			r.State, r.Worker, r.Lease, r.StartedAt, r.FinishedAt = candor.TaskQueued, "", 0, time.Time{}, time.Time{}
		}), candor.CodeConflict},
		{"a batch ends with open tasks", &sched.Changes{Batches: []sched.BatchRecord{{ID: id, Was: candor.BatchActive, State: candor.BatchComplete, Outcome: candor.OutcomeSucceeded, FinishedAt: noon()}}}, candor.CodeInternal},
		{"a batch ends without outcome", &sched.Changes{Batches: []sched.BatchRecord{{ID: id, Was: candor.BatchActive, State: candor.BatchComplete, FinishedAt: noon()}}}, candor.CodeInternal},
		{"a task of no batch", &sched.Changes{NewTasks: []sched.TaskRecord{{ID: w.meta.NextTask, Batch: id + 77, Index: -1, State: candor.TaskQueued, Tries: 1}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			if c.code != "" {
				w.refuse(c.code, c.c)
			} else if err := w.try(c.c); err == nil {
				t.Fatal("committed")
			}
		})
	}
	w.t = t
	fresh := w.batch("fresh", 0)
	fresh.NewTasks[0].Worker = "w"
	w.refuse(candor.CodeInternal, fresh)
}

func testKey(t *testing.T, f Factory) {
	w := open(t, f)
	first, second, none := w.batch("a", 1), w.batch("b", 1), w.batch("c", 1)
	first.NewBatches[0].Key, second.NewBatches[0].Key = "nightly", "nightly"
	w.commit(first)
	w.refuse(candor.CodeConflict, second)
	w.commit(none)
	w.commit(w.batch("d", 1)) // no key is not a key
	id, err := w.s.BatchByKey(bg(), "nightly")
	if err != nil || id != first.NewBatches[0].ID {
		t.Fatalf("found %v, %v", id, err)
	}
	if _, err := w.s.BatchByKey(bg(), ""); candor.CodeOf(err) != candor.CodeNotFound {
		t.Fatalf("the empty key finds: %v", err)
	}
}

// testFence lets a second store lead: the first one can write nothing any more.
func testFence(t *testing.T, f Factory) {
	w := open(t, f)
	_, tasks := w.submit("b", 2)
	second, err := f.Seize(bg())
	if err != nil {
		t.Fatalf("seize: %v", err)
	}
	t.Cleanup(func() {
		if err := second.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	w.refuse(candor.CodeLocked, &sched.Changes{Tasks: []sched.TaskRecord{w.claim(tasks[0], "worker-1")}})
	if _, err := w.s.Prune(bg(), noon(), keep(time.Nanosecond, 0)); candor.CodeOf(err) != candor.CodeLocked {
		t.Fatalf("prune by a former leader: %v", err)
	}
	heir := &world{t: t, f: f, s: second, meta: w.meta, revision: w.revision}
	heir.commit(&sched.Changes{Tasks: []sched.TaskRecord{heir.claim(tasks[0], "worker-2")}})
}
