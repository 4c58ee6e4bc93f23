package sched

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"candor"
)

// disk is a store as simple as can be: maps, and every law that a real one
// keeps. What it refuses would take a brain's commit down.
type disk struct {
	revision int64
	meta     Meta
	batches  map[candor.BatchID]*BatchRecord
	steps    map[candor.BatchID][]StepRecord
	tasks    map[candor.TaskID]*TaskRecord
	order    []candor.TaskID
	attempts map[string]candor.Attempt
	workers  map[string]WorkerRecord
	models   map[string]ModelRecord
	pauses   []candor.Pause
	events   []candor.Event
}

func newDisk() *disk {
	return &disk{
		meta:    Meta{NextTask: 1, NextBatch: 1000, NextLease: 1, NextSession: 1, NextEvent: 1},
		batches: map[candor.BatchID]*BatchRecord{}, steps: map[candor.BatchID][]StepRecord{}, tasks: map[candor.TaskID]*TaskRecord{},
		attempts: map[string]candor.Attempt{}, workers: map[string]WorkerRecord{}, models: map[string]ModelRecord{},
	}
}

// copyOf is a value as a store gives it back: nothing in it is shared.
func copyOf[T any](v T) T {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out T
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}

// bare takes off the null that JSON makes of no item.
func bare(tasks []TaskRecord) {
	for i := range tasks {
		if tasks[i].Index < 0 {
			tasks[i].Item = nil
		}
	}
}

// commit applies changes, or says which law they break.
func (d *disk) commit(changes *Changes) error {
	c := copyOf(*changes)
	bare(c.NewTasks)
	bare(c.Tasks)
	if c.Revision != d.revision+1 {
		return fmt.Errorf("revision %d after %d", c.Revision, d.revision)
	}
	if m, was := c.Meta, d.meta; m.NextTask < was.NextTask || m.NextBatch < was.NextBatch || m.NextLease < was.NextLease ||
		m.NextSession < was.NextSession || m.NextEvent < was.NextEvent {
		return fmt.Errorf("counters go back: %+v after %+v", m, was)
	}
	for i := range changes.Models { // its name is no part of its JSON
		c.Models[i].Name = changes.Models[i].Name
	}
	for _, do := range []func(*Changes) error{d.commitBatches, d.commitSteps, d.commitTasks, d.commitRest} {
		if err := do(&c); err != nil {
			return err
		}
	}
	d.revision, d.meta = c.Revision, c.Meta
	return nil
}

func (d *disk) commitBatches(c *Changes) error {
	for i := range c.NewBatches {
		r := &c.NewBatches[i]
		if d.batches[r.ID] != nil || r.Was != "" || r.ID >= c.Meta.NextBatch {
			return fmt.Errorf("new batch %d is there already, or has a past (%q)", r.ID, r.Was)
		}
		for _, o := range d.batches {
			if r.Key != "" && o.Key == r.Key {
				return fmt.Errorf("key %q is taken twice", r.Key)
			}
		}
		r.Inputs = nil
		d.batches[r.ID] = r
	}
	for i := range c.Batches {
		r := &c.Batches[i]
		o := d.batches[r.ID]
		if o == nil || o.State != r.Was {
			return fmt.Errorf("batch %d expects %q, there is %+v", r.ID, r.Was, o)
		}
		r.Inputs = nil
		d.batches[r.ID] = r
	}
	for _, r := range d.batches {
		ended := r.State == candor.BatchComplete
		if ended != (r.Outcome != "") || ended == r.FinishedAt.IsZero() {
			return fmt.Errorf("batch %d is %s with outcome %q, finished at %s", r.ID, r.State, r.Outcome, r.FinishedAt)
		}
	}
	return nil
}

func (d *disk) commitSteps(c *Changes) error {
	for _, r := range c.NewSteps {
		if len(d.steps[r.Batch]) != r.Number || d.batches[r.Batch] == nil {
			return fmt.Errorf("step %d of batch %d comes after %d steps", r.Number, r.Batch, len(d.steps[r.Batch]))
		}
		d.steps[r.Batch] = append(d.steps[r.Batch], r)
	}
	for _, r := range c.Steps {
		if o := d.steps[r.Batch][r.Number]; o.Expanded || !r.Expanded {
			return fmt.Errorf("step %d of batch %d: expanded %v after %v", r.Number, r.Batch, r.Expanded, o.Expanded)
		}
		d.steps[r.Batch][r.Number] = r
	}
	return nil
}

func (d *disk) commitTasks(c *Changes) error {
	for i := range c.NewTasks {
		r := &c.NewTasks[i]
		if d.tasks[r.ID] != nil || r.Was != "" || r.WasLease != 0 || r.ID >= c.Meta.NextTask {
			return fmt.Errorf("new task %d is there already, or has a past (%q, %d)", r.ID, r.Was, r.WasLease)
		}
		d.order = append(d.order, r.ID)
		if err := d.put(r, c); err != nil {
			return err
		}
	}
	for i := range c.Tasks {
		r := &c.Tasks[i]
		o := d.tasks[r.ID]
		switch {
		case o == nil || o.State != r.Was || o.Lease != r.WasLease:
			return fmt.Errorf("task %d expects %s under %d, there is %+v", r.ID, r.Was, r.WasLease, o)
		case !reachable(o.State, r.State):
			return fmt.Errorf("task %d goes from %s to %s", r.ID, o.State, r.State)
		case o.Batch != r.Batch || o.Step != r.Step || o.Index != r.Index || string(o.Item) != string(r.Item):
			return fmt.Errorf("task %d became another one: %+v → %+v", r.ID, o, r)
		case r.Attempt < o.Attempt || r.Counted < o.Counted:
			return fmt.Errorf("task %d: attempts go back", r.ID)
		}
		if err := d.put(r, c); err != nil {
			return err
		}
	}
	return nil
}

// put stores a task that keeps the law of states.
func (d *disk) put(r *TaskRecord, c *Changes) error {
	held := r.Worker != "" && r.Lease != 0 && !r.StartedAt.IsZero()
	free := r.Worker == "" && r.Lease == 0 && r.StartedAt.IsZero() && r.FinishedAt.IsZero()
	ok := false
	switch r.State {
	case candor.TaskProcessing:
		ok = held && r.FinishedAt.IsZero()
	case candor.TaskQueued, candor.TaskBlocked:
		ok = free
	case candor.TaskComplete:
		ok = held && !r.FinishedAt.IsZero()
	case candor.TaskFailed, candor.TaskCancelled:
		ok = !r.FinishedAt.IsZero()
	}
	if !ok {
		return fmt.Errorf("task %d breaks the law of %s: %+v", r.ID, r.State, r)
	}
	if r.Lease >= c.Meta.NextLease {
		return fmt.Errorf("task %d has lease %d, and the next is %d", r.ID, r.Lease, c.Meta.NextLease)
	}
	for _, o := range d.tasks {
		if o.ID != r.ID && r.Lease != 0 && o.Lease == r.Lease {
			return fmt.Errorf("tasks %d and %d have lease %d", o.ID, r.ID, r.Lease)
		}
	}
	d.tasks[r.ID] = r
	return nil
}

// reachable tells whether legal moves lead from one state to another: between
// two commits a task may have made several.
func reachable(from, to candor.TaskState) bool {
	seen := map[candor.TaskState]bool{from: true}
	for changed := true; changed; {
		changed = false
		for _, a := range candor.TaskStates() {
			for _, b := range candor.TaskStates() {
				if seen[a] && !seen[b] && a.CanMove(b) {
					seen[b], changed = true, true
				}
			}
		}
	}
	return seen[to]
}

func (d *disk) commitRest(c *Changes) error {
	for _, a := range c.Attempts {
		key := fmt.Sprint(a.Task, "/", a.Attempt.Number)
		if _, is := d.attempts[key]; is {
			return fmt.Errorf("attempt %s ended twice", key)
		}
		d.attempts[key] = a.Attempt
	}
	for _, name := range c.Forgotten {
		delete(d.workers, name)
	}
	for _, w := range c.Workers {
		if w.Session < 1 || w.Session >= c.Meta.NextSession {
			return fmt.Errorf("worker %s has session %d of %d", w.Info.Name, w.Session, c.Meta.NextSession)
		}
		d.workers[w.Info.Name] = w
	}
	for _, m := range c.Models {
		d.models[m.Name] = m
	}
	if c.PausesSet {
		d.pauses = c.Pauses
	}
	for _, e := range c.Events {
		if n := len(d.events); n > 0 && e.Seq <= d.events[n-1].Seq || e.Seq >= c.Meta.NextEvent {
			return fmt.Errorf("event %d (%s) out of order", e.Seq, e.Text)
		}
		d.events = append(d.events, e)
	}
	return nil
}

// load is what a brain begins with.
func (d *disk) load() *Snapshot {
	snap := Snapshot{Revision: d.revision, Meta: d.meta, Pauses: slices.Clone(d.pauses)}
	for _, name := range slices.Sorted(maps.Keys(d.workers)) {
		snap.Workers = append(snap.Workers, copyOf(d.workers[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(d.models)) {
		snap.Models = append(snap.Models, d.models[name])
	}
	for _, id := range slices.Sorted(maps.Keys(d.batches)) {
		if d.batches[id].State == candor.BatchActive {
			snap.Batches = append(snap.Batches, d.loadBatch(id))
		}
	}
	return &snap
}

func (d *disk) loadBatch(id candor.BatchID) LoadedBatch {
	lb := LoadedBatch{Batch: *d.batches[id], Steps: d.steps[id]}
	lb.Batch.Was = lb.Batch.State
	for _, t := range d.order {
		if d.tasks[t].Batch == id {
			r := *d.tasks[t]
			r.Was, r.WasLease = r.State, r.Lease
			lb.Tasks = append(lb.Tasks, r)
		}
	}
	lb = copyOf(lb)
	lb.Batch.Inputs = nil
	bare(lb.Tasks)
	return lb
}

// shown is what a store shows of the tasks of results.
func (d *disk) shown(results []candor.Result) []candor.Task {
	var out []candor.Task
	for _, r := range results {
		if t := d.tasks[r.Task]; t != nil {
			out = append(out, candor.Task{ID: t.ID, State: t.State, Worker: t.Worker, Lease: t.Lease, Last: t.Last})
		}
	}
	return out
}
