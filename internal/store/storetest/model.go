package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
	"candor/internal/sched"
)

// model is what the store should hold of the tasks.
type model struct {
	*world
	tasks   map[candor.BatchID][]sched.TaskRecord
	batches []candor.BatchID
}

// testModel makes random commits, right and wrong ones, and compares what the
// store holds with what a map holds.
func testModel(t *testing.T, f Factory) {
	w := open(t, f)
	rapid.Check(t, func(rt *rapid.T) {
		w.t = rt
		m := &model{world: w, tasks: map[candor.BatchID][]sched.TaskRecord{}}
		m.submitSome(rt)
		// Not rapid's Repeat: its thirty steps take a minute where commits are durable.
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"submit", "change", "change", "change", "wrong", "reopen"}).Draw(rt, "step") {
			case "submit":
				m.submitSome(rt)
			case "change":
				m.change(rt, false)
			case "wrong":
				m.change(rt, true)
			case "reopen":
				if rapid.IntRange(0, 9).Draw(rt, "seldom") == 0 {
					m.reopen()
				}
			}
		}
		m.check(rt)
	})
	w.t = t
}

func (m *model) submitSome(rt *rapid.T) {
	if len(m.batches) >= 3 {
		return
	}
	c := m.batch("random", rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 3, 9, 70}), 1, 3).Draw(rt, "sizes")...)
	id := c.NewBatches[0].ID
	for i := range c.NewTasks {
		r := &c.NewTasks[i]
		if rapid.IntRange(0, 9).Draw(rt, "odd") == 0 {
			m.become(rt, r, true)
		}
		if rapid.IntRange(0, 19).Draw(rt, "bare") == 0 {
			r.Item = nil
		}
		m.tasks[id] = append(m.tasks[id], stored(*r))
	}
	m.commit(c)
	m.batches = append(m.batches, id)
}

// change commits new values for some tasks; wrongly, one of them expects what is not there.
func (m *model) change(rt *rapid.T, wrong bool) {
	id := rapid.SampledFrom(m.batches).Draw(rt, "batch")
	tasks := m.tasks[id]
	c := &sched.Changes{}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(tasks)-1), 1, min(len(tasks), 80), rapid.ID[int]).Draw(rt, "which") {
		r := tasks[i]
		if r.State == candor.TaskComplete {
			continue
		}
		r.Was, r.WasLease = r.State, r.Lease
		m.become(rt, &r, false)
		c.Tasks = append(c.Tasks, r)
	}
	if len(c.Tasks) == 0 {
		return
	}
	if wrong {
		r := &c.Tasks[rapid.IntRange(0, len(c.Tasks)-1).Draw(rt, "wrong one")]
		if r.Was == candor.TaskQueued {
			r.Was = candor.TaskBlocked
		} else {
			r.WasLease += 17
		}
		if err := m.try(c); candor.CodeOf(err) != candor.CodeConflict {
			rt.Fatalf("a wrong expectation: %v", err)
		}
		return
	}
	m.commit(c)
	for _, r := range c.Tasks {
		tasks[r.ID-tasks[0].ID] = stored(r)
	}
}

// become gives a task a random value that the law allows.
func (m *model) become(rt *rapid.T, r *sched.TaskRecord, fresh bool) {
	r.State = rapid.SampledFrom(candor.TaskStates()).Draw(rt, "state")
	instant := func(name string) time.Time {
		return noon().Add(time.Duration(rapid.IntRange(0, 1_000_000).Draw(rt, name)) * time.Millisecond)
	}
	r.Attempt, r.Counted, r.Tries = rapid.IntRange(0, 9).Draw(rt, "attempt"), rapid.IntRange(0, 9).Draw(rt, "counted"), rapid.IntRange(0, 9).Draw(rt, "tries")
	kept := r.Was == candor.TaskProcessing && rapid.Bool().Draw(rt, "same lease")
	worker, lease, started := r.Worker, r.Lease, r.StartedAt
	r.Worker, r.Lease, r.StartedAt, r.FinishedAt = "", 0, time.Time{}, time.Time{}
	if r.State == candor.TaskProcessing || (r.State.Final() && rapid.Bool().Draw(rt, "ran")) {
		if kept && !fresh {
			r.Worker, r.Lease, r.StartedAt = worker, lease, started
		} else {
			r.Worker, r.Lease, r.StartedAt = rapid.SampledFrom([]string{"worker-1", "wörker 2"}).Draw(rt, "worker"), m.meta.NextLease, instant("started")
			m.meta.NextLease++
		}
	}
	if r.State.Final() {
		r.FinishedAt = instant("finished")
	}
	r.QueuedAt, r.NotBefore, r.Reason, r.Last, r.Avoid, r.Downed, r.Aborting = instant("queued"), time.Time{}, nil, nil, nil, nil, ""
	if rapid.IntRange(0, 3).Draw(rt, "extra") == 0 {
		last := fullAttempt(rapid.IntRange(1, 9).Draw(rt, "last"))
		r.NotBefore, r.Reason, r.Last, r.Avoid = instant("not before"), fullReason(), &last, []string{"worker-1"}
	}
	if fresh {
		r.Item = json.RawMessage(rapid.SampledFrom([]string{`1`, `"x"`, `{"a": [1, 2]}`, `""`}).Draw(rt, "item"))
	}
}

// check compares tasks and counts.
func (m *model) check(rt *rapid.T) {
	for _, id := range m.batches {
		want := m.tasks[id]
		m.same("the tasks of "+id.String(), m.loadBatch(id).Tasks, want)
		counts := map[candor.TaskState]int{}
		for _, r := range want {
			counts[r.State]++
		}
		b, err := m.s.Batch(bg(), id)
		if err != nil {
			rt.Fatalf("batch: %v", err)
		}
		m.same("the counts of "+id.String(), b.Counts, counts)
	}
}
