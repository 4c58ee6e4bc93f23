package sched

import (
	"encoding/json"
	"fmt"
	"time"

	"candor"
)

// state is a task state in one byte; there may be millions of tasks.
type state uint8

const (
	blocked state = iota
	queued
	processing
	complete
	failed
	cancelled
	stateCount
	absent state = 255 // of a task that the store does not have yet
)

var stateNames = [stateCount]candor.TaskState{
	candor.TaskBlocked, candor.TaskQueued, candor.TaskProcessing,
	candor.TaskComplete, candor.TaskFailed, candor.TaskCancelled,
}

func stateOf(s candor.TaskState) state {
	for i, name := range stateNames {
		if name == s {
			return state(i)
		}
	}
	return absent
}

func (s state) final() bool { return s == complete || s == failed || s == cancelled }

// task is the living form of a task. It is kept small: what only few tasks
// have is behind past, what only running ones have is behind run.
type task struct {
	id       candor.TaskID
	step     *step
	item     json.RawMessage
	queuedAt int64 // unix microseconds; 0 = never queued
	run      *run
	past     *past
	wasLease int64 // as stored
	lane     *lane // in whose line it is, or will be when its next try is due
	place    int32 // in that line; see line
	index    int32 // -1: no fan-out
	attempt  uint16
	counted  uint16
	tries    uint16
	state    state
	was      state // as stored
	dirty    bool
}

// run is the current attempt, or the last one until it is stored.
type run struct {
	lease    int64
	worker   string
	started  time.Time
	finished time.Time // set once it ended

	progress candor.Progress
	moved    time.Time // last progress, by the brain's clock
	shown    time.Time // the last of it that was more than CPU time; zero: none yet
	ended    time.Time // its worker says that it has, and holds the result; zero: not so
	stuck    bool
	missed   int  // heartbeats of its worker in a row that did not list it
	named    bool // some heartbeat did

	abort     candor.ReasonCode // it was ordered to end, for this
	abortText string            // who ordered it, when, and why; "": the store of an earlier version did not say
	abortAt   time.Time
	abortSent bool
	fencing   bool // a supervisor is asked to end its processes
}

// past is what a task carries from former attempts.
type past struct {
	notBefore time.Time
	reason    *candor.Reason
	last      *candor.Attempt
	avoid     []string
	downed    []string
	free      uint16 // uncounted attempts
	under     uint16 // deaths under it since deathMark; the same worker may die again
	deathMark int    // State.deaths before the first of them
	lastDeath int    // State.deaths at the last death under it
	shared    bool   // by tasks that ended together; not to be written
	doubt     bool   // the first of downed fell in a bad night: it alone proves nothing
}

func (t *task) history() *past {
	if t.past == nil {
		t.past = &past{}
	}
	return t.past
}

func (t *task) reason() *candor.Reason {
	if t.past == nil {
		return nil
	}
	return t.past.reason
}

// lookCloser is the command that shows what became of a task. A prompt prints
// nothing: its rows say.
func (t *task) lookCloser() string {
	if t.step.spec.LLM != nil {
		return "candor show " + t.id.String()
	}
	return "candor logs " + t.id.String()
}

func (t *task) batch() *batch { return t.step.batch }

func (t *task) name() string { return candor.TaskName(t.step.spec.Name, int(t.index)) }

// rank orders the queue: the instant a task was queued, less its priority's worth.
func (t *task) rank() int64 { return t.queuedAt - t.step.head }

// before tells whether t goes before o in the queue.
func (t *task) before(o *task) bool {
	a, b := t.rank(), o.rank()
	return a < b || (a == b && t.id < o.id)
}

// record is the task as stored.
func (t *task) record() TaskRecord {
	r := TaskRecord{
		ID: t.id, Batch: t.step.batch.rec.ID, Step: t.step.num, Index: int(t.index), Item: t.item,
		WasLease: t.wasLease, State: stateNames[t.state],
		Attempt: int(t.attempt), Counted: int(t.counted), Tries: int(t.tries),
		QueuedAt: fromMicro(t.queuedAt),
	}
	if t.was != absent {
		r.Was = stateNames[t.was]
	}
	if run := t.run; run != nil && t.state != queued && t.state != blocked {
		r.Worker, r.Lease, r.StartedAt, r.FinishedAt = run.worker, run.lease, run.started, run.finished
		r.Aborting = run.abort
		if t.state == processing { // of one that has ended its reason says so
			r.AbortText, r.AbortAt = run.abortText, run.abortAt
		}
	}
	if p := t.past; p != nil {
		r.NotBefore, r.Reason, r.Last, r.Avoid, r.Downed = p.notBefore, p.reason, p.last, p.avoid, p.downed
	}
	return r
}

// restore makes a task of its record.
func (t *task) restore(r *TaskRecord) {
	t.id, t.item, t.index = r.ID, r.Item, int32(r.Index)
	t.queuedAt = micro(r.QueuedAt)
	t.attempt, t.counted, t.tries = uint16(r.Attempt), uint16(r.Counted), uint16(r.Tries)
	t.state = stateOf(r.State)
	t.was, t.wasLease = t.state, r.Lease
	if r.Worker != "" || !r.FinishedAt.IsZero() {
		t.run = &run{
			lease: r.Lease, worker: r.Worker, started: r.StartedAt, finished: r.FinishedAt,
			abort: r.Aborting, abortText: r.AbortText, abortAt: r.AbortAt,
		}
	}
	if !r.NotBefore.IsZero() || r.Reason != nil || r.Last != nil || r.Avoid != nil || r.Downed != nil {
		t.past = &past{notBefore: r.NotBefore, reason: r.Reason, last: r.Last, avoid: r.Avoid, downed: r.Downed}
		// Deaths are counted anew by each brain; those under this task stay known. In
		// which night they were is not, and a brain that ends may be part of a bad one:
		// that is a doubt.
		t.past.under, t.past.deathMark, t.past.doubt = uint16(len(r.Downed)), -len(r.Downed), len(r.Downed) > 0
	}
}

// view is the task as the API shows it.
func (t *task) view() candor.Task {
	b, spec := t.step.batch, t.step.spec
	v := candor.Task{
		ID: t.id, Batch: b.rec.ID, Name: t.name(), Step: spec.Name, Index: int(t.index), Item: t.item,
		Class: spec.Class, State: stateNames[t.state], Priority: spec.Priority, Model: spec.Model,
		Attempt: int(t.attempt), Counted: int(t.counted), Tries: int(t.tries),
		CreatedAt: b.rec.CreatedAt, QueuedAt: fromMicro(t.queuedAt), Reason: t.reason(),
	}
	if t.past != nil {
		v.NotBefore, v.Last = t.past.notBefore, t.past.last
	}
	if t.run != nil {
		v.Worker, v.Lease, v.StartedAt, v.FinishedAt = t.run.worker, t.run.lease, t.run.started, t.run.finished
	}
	t.decorate(&v)
	return v
}

// decorate fills in what only the living know.
func (t *task) decorate(v *candor.Task) {
	if t.run == nil || t.state != processing {
		return
	}
	p := t.run.progress
	v.Progress, v.Stuck, v.Aborting = &p, t.run.stuck, string(t.run.abort)
}

// move is the only way a task changes its state.
func (s *State) move(t *task, to state) {
	from := t.state
	if !stateNames[from].CanMove(stateNames[to]) {
		panic(fmt.Sprintf("task %s: illegal move %s → %s", t.id, stateNames[from], stateNames[to]))
	}
	st, b := t.step, t.step.batch
	st.counts[from]--
	st.counts[to]++
	b.counts[from]--
	b.counts[to]++
	s.counts[from]--
	s.counts[to]++
	t.state = to
	s.touch(t)
	st.blame = nil
	if from.final() && !to.final() {
		s.reopen(b)
	}
}

// touch marks a task for the next commit.
func (s *State) touch(t *task) {
	if !t.dirty && t.was != absent {
		t.dirty = true
		s.dirtyTasks = append(s.dirtyTasks, t)
	}
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
