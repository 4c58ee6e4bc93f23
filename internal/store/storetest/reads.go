package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

func testBatches(t *testing.T, f Factory) {
	w := open(t, f)
	var ids []candor.BatchID
	for range 5 {
		id, tasks := w.submit("b", 3)
		ids = append(ids, id)
		if len(ids) == 2 {
			w.drain(tasks, "worker-1", candor.TaskComplete)
			w.finish(id, noon().Add(time.Hour))
		}
	}
	w.commit(&sched.Changes{PausesSet: true, Pauses: []candor.Pause{{Scope: "batch", Target: ids[2].String(), At: noon()}}})
	order := w.batch("load_llm m", 0)
	order.NewBatches[0].Kind = candor.BatchOrder
	w.commit(order)
	ids = append(ids, order.NewBatches[0].ID)
	for _, c := range []struct {
		q    candor.BatchQuery
		want []int
	}{
		{candor.BatchQuery{Kind: candor.BatchOrder}, []int{5}},
		{candor.BatchQuery{}, []int{4, 3, 2, 1, 0}},
		{candor.BatchQuery{Limit: 2}, []int{4, 3}},
		{candor.BatchQuery{Limit: 2, Before: ids[3]}, []int{2, 1}},
		{candor.BatchQuery{State: candor.BatchComplete}, []int{1}},
		{candor.BatchQuery{State: candor.BatchActive, Before: ids[2]}, []int{0}},
		{candor.BatchQuery{Before: ids[0]}, nil},
	} {
		list, err := w.s.Batches(bg(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []candor.BatchID
		for _, b := range list {
			got = append(got, b.ID)
			if (b.Paused != nil) != (b.ID == ids[2]) {
				t.Errorf("batch %s: paused %v", b.ID, b.Paused)
			}
		}
		for _, i := range c.want {
			want = append(want, ids[i])
		}
		w.same("the list", got, want)
	}
	w.oneOfThem(t, ids)
}

// oneOfThem reads batches alone: one that has ended, and one that never was.
func (w *world) oneOfThem(t *testing.T, ids []candor.BatchID) {
	b, err := w.s.Batch(bg(), ids[1])
	if err != nil {
		t.Fatal(err)
	}
	counts := map[candor.TaskState]int{candor.TaskComplete: 3}
	w.same("an ended batch", b, candor.Batch{
		ID: ids[1], Name: "b", State: candor.BatchComplete, Outcome: candor.OutcomeSucceeded, CreatedAt: noon(), FinishedAt: noon().Add(time.Hour),
		Total: 3, Counts: counts, Steps: []candor.StepView{{Name: "step0", Class: candor.ClassCPU, Expanded: true, FansOut: true, Total: 3, Counts: counts}},
	})
	if _, err := w.s.Batch(bg(), ids[5]+1); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("an unknown batch: %v", err)
	}
	if _, err := w.s.LoadBatch(bg(), ids[5]+1); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("an unknown batch, loaded: %v", err)
	}
	if snap := w.load(); len(snap.Batches) != 5 {
		t.Errorf("%d batches are live, want the 5 active ones", len(snap.Batches))
	}
}

func testTasks(t *testing.T, f Factory) {
	w := open(t, f)
	a, tasks := w.submit("a", 600, 0)
	_, other := w.submit("b", 5)
	w.drain(tasks[100:103], "worker-1", candor.TaskComplete)
	failed := w.claim(tasks[599], "worker-2")
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{failed}})
	last := fullAttempt(1)
	back := stored(failed)
	back.Was, back.WasLease = back.State, back.Lease
	back.State, back.Worker, back.Lease, back.StartedAt, back.Last = candor.TaskQueued, "", 0, time.Time{}, &last
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{back}})
	for _, c := range []struct {
		name  string
		q     candor.TaskQuery
		first candor.TaskID
		n     int
	}{
		{"all, a page", candor.TaskQuery{}, tasks[0].ID, 100},
		{"all, the last page", candor.TaskQuery{After: tasks[600].ID}, other[0].ID, 5},
		{"a batch", candor.TaskQuery{Batch: a, Limit: 1000}, tasks[0].ID, 601},
		{"a batch, a page", candor.TaskQuery{Batch: a, After: tasks[555].ID, Limit: 20}, tasks[556].ID, 20},
		{"a step", candor.TaskQuery{Batch: a, Step: "step1"}, tasks[600].ID, 1},
		{"a state", candor.TaskQuery{State: candor.TaskComplete}, tasks[100].ID, 3},
		{"a state in a batch", candor.TaskQuery{Batch: a, State: candor.TaskQueued, After: tasks[99].ID, Limit: 1000}, tasks[103].ID, 498},
		{"a class", candor.TaskQuery{Class: candor.ClassCPU, Limit: 1000}, tasks[0].ID, 606},
		{"another class", candor.TaskQuery{Class: candor.ClassLLM}, 0, 0},
		{"a worker", candor.TaskQuery{Worker: "worker-1"}, tasks[100].ID, 3},
		{"an unknown batch", candor.TaskQuery{Batch: a + 100}, 0, 0},
	} {
		list, err := w.s.Tasks(bg(), c.q)
		if err != nil || len(list) != c.n || (c.n > 0 && list[0].ID != c.first) {
			t.Errorf("%s: %d tasks (%v), want %d from %s on: %.200v", c.name, len(list), err, c.n, c.first, list)
		}
		if !slices.IsSortedFunc(list, func(a, b candor.Task) int { return int(a.ID - b.ID) }) {
			t.Errorf("%s: not in order", c.name)
		}
	}
	got, err := w.s.Task(bg(), tasks[599].ID)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody has it: worker and lease of the attempt that ended stand with that attempt.
	w.same("a task that is tried again", got, candor.Task{
		ID: tasks[599].ID, Batch: a, Name: "step0[599]", Step: "step0", Index: 599, Item: tasks[599].Item, Class: candor.ClassCPU,
		State: candor.TaskQueued, Attempt: 1, Tries: 1, CreatedAt: noon(), QueuedAt: noon(), Last: &last,
	})
	if single, err := w.s.Task(bg(), tasks[600].ID); err != nil || single.Name != "step1" || single.Index != -1 || single.Item != nil {
		t.Errorf("a task without fan-out: %+v (%v)", single, err)
	}
	if _, err := w.s.Task(bg(), tasks[0].ID-1); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("an unknown task: %v", err)
	}
	if _, err := w.s.Task(bg(), other[4].ID+1); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("an unknown task: %v", err)
	}
}

func testAttempts(t *testing.T, f Factory) {
	w := open(t, f)
	id, tasks := w.submit("a", 2)
	first := w.claim(tasks[0], "worker-1")
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{first}})
	a := fullAttempt(1)
	second := stored(first)
	second.Worker, second.Lease, second.Attempt, second.Last = "worker-2", first.Lease+1, 2, &a
	w.meta.NextLease += 2
	second.Was, second.WasLease = first.State, first.Lease
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{second}, Attempts: []sched.AttemptRecord{{Task: first.ID, Batch: id, Attempt: a}}})
	w.refuse(candor.CodeConflict, &sched.Changes{Attempts: []sched.AttemptRecord{{Task: first.ID, Batch: id, Attempt: a}}})
	done := end(stored(second), candor.TaskComplete)
	w.commit(&sched.Changes{Tasks: []sched.TaskRecord{done}})
	got, err := w.s.Attempts(bg(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.same("attempts", got, []candor.Attempt{a, {
		Number: 2, Worker: "worker-2", Lease: second.Lease, StartedAt: done.StartedAt, FinishedAt: done.FinishedAt, Outcome: candor.AttemptDone, Counted: true,
	}})
	if none, err := w.s.Attempts(bg(), tasks[1].ID); err != nil || len(none) > 0 {
		t.Errorf("a task that was never tried: %v, %v", none, err)
	}
	if _, err := w.s.Attempts(bg(), tasks[1].ID+1); candor.CodeOf(err) != candor.CodeNotFound {
		t.Errorf("an unknown task: %v", err)
	}
}

func testResolve(t *testing.T, f Factory) {
	w := open(t, f)
	id, tasks := w.submit("a", 3000)
	for _, r := range []sched.TaskRecord{tasks[0], tasks[1234], tasks[2999]} {
		for _, n := range []int{3, 5, 10} {
			prefix := r.ID.String()[:n]
			var want []candor.TaskID
			for _, o := range tasks {
				if o.ID.String()[:n] == prefix {
					want = append(want, o.ID)
				}
			}
			refs, err := w.s.Resolve(bg(), prefix, 10000)
			if err != nil {
				t.Fatal(err)
			}
			w.same("what "+prefix+" names", refs, sched.Refs{Tasks: want})
		}
	}
	refs, err := w.s.Resolve(bg(), id.String()[2:], 10)
	if err != nil || !slices.Contains(refs.Batches, id) {
		t.Errorf("a batch without b_: %v, %v", refs, err)
	}
	if refs, err := w.s.Resolve(bg(), tasks[0].ID.String()[:3], 2); err != nil || len(refs.Tasks) != 2 {
		t.Errorf("at most 2: %v, %v", refs, err)
	}
	for _, odd := range []string{"", "t_", "b_", "worker-1", "t_l", "t_0123456789"} {
		if refs, err := w.s.Resolve(bg(), odd, 10); err != nil || len(refs.Tasks)+len(refs.Batches) > 0 {
			t.Errorf("%q names %v, %v", odd, refs, err)
		}
	}
}

// testReaders reads beside commits that move two steps' tasks together: no
// reader may see one without the other.
func testReaders(t *testing.T, f Factory) {
	w := open(t, f)
	const n = 200
	id, tasks := w.submit("a", n, n)
	done := make(chan struct{})
	failed := make(chan error, 3)
	for range cap(failed) {
		go func() {
			failed <- watch(w, id, done)
		}()
	}
	for i := range n {
		w.drain([]sched.TaskRecord{tasks[i], tasks[n+i]}, "worker-1", candor.TaskComplete)
	}
	close(done)
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func watch(w *world, id candor.BatchID, done <-chan struct{}) error {
	for seen := 0; ; {
		b, err := w.s.Batch(bg(), id)
		if err != nil {
			return err
		}
		x, y := b.Steps[0].Counts[candor.TaskComplete], b.Steps[1].Counts[candor.TaskComplete]
		if x != y || x < seen || b.Counts[candor.TaskComplete] != x+y {
			return errors.New("a reader saw half a commit, or went back")
		}
		seen = x
		if _, err := w.s.Tasks(bg(), candor.TaskQuery{Batch: id, State: candor.TaskComplete, Limit: 20}); err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}
