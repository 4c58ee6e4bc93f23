package sched

import (
	"iter"
	"slices"
	"sort"
	"time"

	"candor"
)

// batch is the living form of a batch. Batches leave memory some time after
// they end; the store keeps them.
type batch struct {
	rec      BatchRecord
	was      candor.BatchState // as stored; "" = not stored yet
	steps    []*step
	named    map[string]*step // by name, once they are linked
	late     []*step          // those that fan out over what another brings
	counts   [stateCount]int
	pause    *candor.Pause
	closing  *closing // it was cancelled, and waiting tasks are still to be ended
	dirty    bool
	admitted time.Time // when it came back into memory, if it had left
}

// step is a step of a batch with its tasks in one block, so that a million of
// them cost no pointers and keep their addresses.
type step struct {
	batch *batch
	num   int
	spec  *candor.Step
	tasks []task
	head  int64 // what its priority is worth, in microseconds of waiting

	expanded bool
	void     bool // can never be expanded: what it fans out over failed
	fresh    bool // not stored yet
	changed  bool // expanded since the last commit

	counts     [stateCount]int
	blame      *candor.Reason // why those who need all of it cannot run; nil until asked
	dependants []edge
	contents   map[string]*contents // of complete tasks, until the step is settled
	rows       *candor.RowTotals    // of the same
	flag       *candor.Reason       // something about it that a person should look at
	lane       *lane
	extra      []*lane // lanes of tasks that avoid some worker
	manifests  []candor.Manifest
	wire       *candor.StepSpec // as workers get it
}

// edge leads from a step to one that needs it.
type edge struct {
	to   *step
	need *candor.Need
}

func (st *step) finals() int { return st.counts[complete] + st.counts[failed] + st.counts[cancelled] }

// settled tells whether nothing of the step will move by itself any more.
func (st *step) settled() bool {
	return st.void || (st.expanded && st.finals() == len(st.tasks))
}

// good tells whether every task of a settled step is complete.
func (st *step) good() bool { return !st.void && st.counts[complete] == len(st.tasks) }

// open counts the tasks that are not final.
func (b *batch) open() int { return b.counts[blocked] + b.counts[queued] + b.counts[processing] }

func (b *batch) settled() bool {
	if b.open() > 0 {
		return false
	}
	for _, st := range b.steps {
		if !st.settled() {
			return false
		}
	}
	return true
}

func (b *batch) total() int {
	n := 0
	for _, st := range b.steps {
		n += len(st.tasks)
	}
	return n
}

// step is the step of that name, or nil.
func (b *batch) step(name string) *step { return b.named[name] }

func (b *batch) eachLane() iter.Seq[*lane] {
	return func(yield func(*lane) bool) {
		for _, st := range b.steps {
			if st.lane != nil && !yield(st.lane) {
				return
			}
			for _, l := range st.extra {
				if !yield(l) {
					return
				}
			}
		}
	}
}

func (b *batch) eachTask() iter.Seq[*task] {
	return func(yield func(*task) bool) {
		for _, st := range b.steps {
			for i := range st.tasks {
				if !yield(&st.tasks[i]) {
					return
				}
			}
		}
	}
}

// outcome judges a settled batch.
func (b *batch) outcome() candor.Outcome {
	switch {
	case b.counts[failed] > 0:
		return candor.OutcomeFailed
	case b.counts[cancelled] > 0 || b.rec.Cancelled:
		return candor.OutcomeCancelled
	default:
		return candor.OutcomeSucceeded
	}
}

func (b *batch) countMap() map[candor.TaskState]int {
	m := map[candor.TaskState]int{}
	for i, n := range b.counts {
		if n > 0 {
			m[stateNames[i]] = n
		}
	}
	return m
}

// link builds the index, edges, manifests and wire form of a batch's steps.
func (b *batch) link(agingMicro int64) {
	b.named = make(map[string]*step, len(b.steps))
	for _, st := range b.steps {
		b.named[st.spec.Name] = st
	}
	for _, st := range b.steps {
		st.head = int64(st.spec.Priority) * agingMicro
		for i := range st.spec.Needs {
			need := &st.spec.Needs[i]
			up := b.step(need.Step)
			up.dependants = append(up.dependants, edge{st, need})
		}
		if e := st.spec.Each; e != nil && (e.From != nil || e.Same != "") {
			b.late = append(b.late, st)
		}
		if e := st.spec.Each; e != nil && e.From != nil {
			up := b.step(e.From.Step)
			if !slices.Contains(up.manifests, *e.From) {
				up.manifests = append(up.manifests, *e.From)
			}
		}
	}
}

// spans finds tasks by id. Each step's tasks have consecutive ids, so one entry
// a step is enough for any number of tasks.
type spans []span

type span struct {
	first candor.TaskID
	step  *step
}

func (s *spans) add(st *step) {
	if len(st.tasks) == 0 {
		return
	}
	i := sort.Search(len(*s), func(i int) bool { return (*s)[i].first > st.tasks[0].id })
	*s = slices.Insert(*s, i, span{st.tasks[0].id, st})
}

func (s *spans) forget(leaves func(*batch) bool) {
	*s = slices.DeleteFunc(*s, func(e span) bool { return leaves(e.step.batch) })
}

// find returns the task with this id, or nil.
func (s spans) find(id candor.TaskID) *task {
	i := sort.Search(len(s), func(i int) bool { return s[i].first > id })
	if i == 0 {
		return nil
	}
	st := s[i-1].step
	if k := int(id - s[i-1].first); k < len(st.tasks) {
		return &st.tasks[k]
	}
	return nil
}
