package sched

import (
	"slices"
	"time"

	"candor"
)

// State is all that is decided on: the active batches with their tasks, the
// workers, the queue, the pauses.
type State struct {
	cfg      Config
	now      time.Time
	revision int64
	meta     Meta

	batches map[candor.BatchID]*batch
	order   []*batch // by id
	ended   []*batch // by time of ending: they leave memory after a while
	keys    map[string]candor.BatchID
	tasks   spans
	counts  [stateCount]int

	workers map[string]*worker
	roster  []*worker // by name
	leases  map[int64]*task
	hosts   hosts

	failing  []*worker // on which enough tasks failed to shut them out, once others do better
	suspects []*task   // held back, since a worker died under them
	deaths   int       // workers that died, ever: tells a poisonous task from a bad night
	deathAt  time.Time // the last of them
	badNight bool      // it came shortly after another

	shapes    map[string]*shape
	shapeList []*shape // in order of appearance
	unused    bool     // some shape may have no lane any more
	timers    timers
	ready     int64     // grows when a task becomes claimable
	narrow    int64     // how much of that were tasks that came, or concerned one worker alone
	keeps     []*worker // on whose cards room is kept for a task
	keepAt    time.Time // when that was last looked at
	round     int64     // grows when other workers may be there for a shape than before
	leftAt    time.Time // since when claims leave tasks to other workers; zero: none does
	passings  passings

	closing []*batch // cancelled, with waiting tasks that are still to be ended
	closed  int      // tasks that this round has ended of them
	slice   int      // how many a round ends

	pauses     []candor.Pause
	allPause   *candor.Pause
	classPause map[candor.Class]*candor.Pause

	orders   []*task            // about models, those that have not ended
	bound    map[string][]*task // of them, those for one worker, by its name
	houses   map[string]*house  // by host
	models   map[string]*measured
	expected map[string]*expectation // by model that is wanted
	served   map[string]time.Time    // when somebody was last there for a model that is wanted
	placeAt  time.Time               // of the last look at placement; zero: one is due

	taken      int64 // takings of all shapes; see races.go
	recent     recent
	monitor    monitor
	glimpse    glimpse
	idleAt     time.Time // when idle workers were last asked why
	idleNext   int       // who is asked next, by place in roster
	accountsAt time.Time // when all accounts were last stored

	// What the next commit has to store.
	changes      Changes
	dirtyTasks   []*task
	dirtyBatches []*batch
	dirtySteps   []*step
	newSpans     []*step
	dirtyWorkers []*worker
	dirtyModels  []*measured
}

// New makes a State of what a store loaded. A zero snapshot is an empty farm,
// but for the first ids, which the store gives.
func New(cfg Config, snap *Snapshot) *State {
	s := &State{
		cfg: cfg.withDefaults(), slice: closingSlice, meta: snap.Meta, revision: snap.Revision,
		batches: map[candor.BatchID]*batch{}, keys: map[string]candor.BatchID{},
		workers: map[string]*worker{}, leases: map[int64]*task{}, shapes: map[string]*shape{},
		classPause: map[candor.Class]*candor.Pause{}, models: map[string]*measured{}, expected: map[string]*expectation{}, served: map[string]time.Time{},
		bound: map[string][]*task{}, houses: map[string]*house{},
	}
	for _, r := range snap.Models {
		s.models[r.Name] = &measured{ModelRecord: r}
	}
	s.meta.atLeastOne()
	for i := range snap.Workers {
		s.restoreWorker(&snap.Workers[i])
	}
	s.pauses = slices.Clone(snap.Pauses)
	s.indexPauses()
	for i := range snap.Batches {
		s.admit(&snap.Batches[i])
	}
	return s
}

// begin is the first instant after loading. While the brain was away nobody
// could report to it, so every silence counts from here: that of workers, of
// running attempts, and of the supervisors who are asked before a task is given
// to somebody else.
func (s *State) begin(now time.Time) {
	s.now = now
	s.dropPauses(s.orphaned)
	for _, w := range s.roster {
		w.seen, w.asked, w.races.since = now, now, now
		if w.left.IsZero() {
			w.left = now
		}
		w.asksSoon(now, 0)
		if w.info.Supervisor != "" {
			s.hosts.note(w.info.Supervisor, now)
		}
		if len(w.running) == 0 {
			w.idle = now
		}
		s.resumeAccount(w)
		for _, t := range w.running {
			t.run.moved = now
		}
	}
}

// atLeastOne keeps zero from being anybody's number: zero means none.
func (m *Meta) atLeastOne() {
	m.NextTask = max(m.NextTask, 1)
	m.NextBatch = max(m.NextBatch, 1)
	m.NextLease = max(m.NextLease, 1)
	m.NextSession = max(m.NextSession, 1)
	m.NextEvent = max(m.NextEvent, 1)
}

// gave tells whether a lease is one of those that this store has given, whoever
// had it and however it ended.
func (m *Meta) gave(lease int64) bool {
	return lease >= m.FirstLease && lease < m.NextLease
}

// Revision is the number of the last taken set of changes.
func (s *State) Revision() int64 { return s.revision }

// Config is the rules in force.
func (s *State) Config() Config { return s.cfg }

// Ready grows whenever something became claimable: a loop that holds fruitless
// claims tries them again when it has grown.
func (s *State) Ready() int64 { return s.ready }

// Speaks tells whether a session is the one that speaks for a worker.
func (s *State) Speaks(name string, session int64) bool {
	w := s.workers[name]
	return w != nil && w.session == session
}

// Claimable tells whether any task waits for nothing but a worker. If not, no
// held claim need be tried.
func (s *State) Claimable() bool {
	return slices.ContainsFunc(s.shapeList, func(sh *shape) bool { return sh.ready > 0 })
}

// admit brings a loaded batch to life.
func (s *State) admit(lb *LoadedBatch) {
	if s.batches[lb.Batch.ID] != nil {
		return
	}
	b := &batch{rec: lb.Batch, was: lb.Batch.State, admitted: s.now}
	for i := range lb.Steps {
		r := &lb.Steps[i]
		b.steps = append(b.steps, &step{batch: b, num: r.Number, spec: &r.Step, expanded: r.Expanded, flag: r.Flag})
	}
	b.link(s.agingMicro())
	perStep := make([]int, len(b.steps))
	for i := range lb.Tasks {
		perStep[lb.Tasks[i].Step]++
	}
	for i, st := range b.steps {
		st.tasks = make([]task, 0, perStep[i])
	}
	for i := range lb.Tasks {
		r := &lb.Tasks[i]
		st := b.steps[r.Step]
		st.tasks = append(st.tasks, task{step: st})
		st.tasks[len(st.tasks)-1].restore(r)
	}
	for _, st := range b.steps {
		s.tasks.add(st)
	}
	s.addBatch(b)
	s.wake(b)
	s.adoptOrder(b)
}

func (s *State) addBatch(b *batch) {
	s.batches[b.rec.ID] = b
	i, _ := slices.BinarySearchFunc(s.order, b.rec.ID, func(o *batch, id candor.BatchID) int { return int(o.rec.ID - id) })
	s.order = slices.Insert(s.order, i, b)
	if b.rec.Key != "" {
		s.keys[b.rec.Key] = b.rec.ID
	}
	for i := range s.pauses {
		if p := &s.pauses[i]; p.Scope == "batch" && p.Target == b.rec.ID.String() {
			b.pause = p
		}
	}
}

// wake counts, queues and leases the tasks of an admitted batch, and derives
// which steps can never be expanded.
func (s *State) wake(b *batch) {
	for _, st := range b.steps {
		for i := range st.tasks {
			t := &st.tasks[i]
			st.counts[t.state]++
			b.counts[t.state]++
			s.counts[t.state]++
			switch t.state {
			case queued:
				s.enqueue(t)
			case processing:
				s.adopt(t)
			case complete:
				if t.past != nil && t.past.last != nil && b.rec.State == candor.BatchActive {
					st.compare(t.past.last.Outputs, t.past.last.Rows)
				}
			}
		}
	}
	for _, st := range b.steps {
		if !st.expanded {
			s.voidIfHopeless(st)
		}
	}
	switch {
	case b.rec.State == candor.BatchComplete:
		s.ended = append(s.ended, b)
	case b.rec.Cancelled && b.counts[blocked]+b.counts[queued] > 0:
		s.closeAgain(b) // the brain ended before it was through
	}
}

// adopt gives a loaded processing task back to its worker, which will say in
// its next heartbeat or registration whether it still has it.
func (s *State) adopt(t *task) {
	s.leases[t.run.lease] = t
	if w := s.workers[t.run.worker]; w != nil {
		w.take(t)
	}
}

func (s *State) agingMicro() int64 { return s.cfg.Aging.Microseconds() }

// touchBatch marks a batch for the next commit.
func (s *State) touchBatch(b *batch) {
	if !b.dirty {
		b.dirty = true
		s.dirtyBatches = append(s.dirtyBatches, b)
	}
}

func (s *State) touchWorker(w *worker) {
	if !w.dirty {
		w.dirty = true
		s.dirtyWorkers = append(s.dirtyWorkers, w)
	}
}

// Take returns everything that changed since the last Take, as it is now, and
// nil if nothing did. The result is the caller's; the loop commits it before
// it lets any reply out.
func (s *State) Take() *Changes {
	c := s.changes
	s.changes = Changes{}
	s.takeBatches(&c)
	s.takeTasks(&c)
	s.takeWorkers(&c)
	if c.PausesSet {
		c.Pauses = slices.Clone(s.pauses)
	}
	if c.Empty() {
		return nil
	}
	s.takeModels(&c)
	s.revision++
	c.Revision, c.Meta = s.revision, s.meta
	return &c
}

func (s *State) takeBatches(c *Changes) {
	for _, b := range s.dirtyBatches {
		b.dirty = false
		rec := b.rec
		rec.Was, rec.Total, rec.Counts = b.was, b.total(), b.countMap()
		if b.was == "" {
			c.NewBatches = append(c.NewBatches, rec)
		} else {
			c.Batches = append(c.Batches, rec)
		}
		b.was = b.rec.State
	}
	s.dirtyBatches = emptied(s.dirtyBatches)
	for _, st := range s.dirtySteps {
		rec := StepRecord{Batch: st.batch.rec.ID, Number: st.num, Step: *st.spec, Expanded: st.expanded, Flag: st.flag, Total: len(st.tasks)}
		if st.fresh {
			c.NewSteps = append(c.NewSteps, rec)
		} else {
			c.Steps = append(c.Steps, rec)
		}
		st.fresh, st.changed = false, false
	}
	s.dirtySteps = emptied(s.dirtySteps)
}

func (s *State) takeTasks(c *Changes) {
	n := 0
	for _, st := range s.newSpans {
		n += len(st.tasks)
	}
	if n > 0 {
		c.NewTasks = make([]TaskRecord, 0, n)
	}
	for _, st := range s.newSpans {
		for i := range st.tasks {
			c.NewTasks = append(c.NewTasks, s.settle1(&st.tasks[i]))
		}
	}
	s.newSpans = emptied(s.newSpans)
	if len(s.dirtyTasks) > 0 {
		c.Tasks = make([]TaskRecord, 0, len(s.dirtyTasks))
	}
	for _, t := range s.dirtyTasks {
		c.Tasks = append(c.Tasks, s.settle1(t))
	}
	s.dirtyTasks = emptied(s.dirtyTasks)
}

// settle1 makes a task's record and takes it as stored from here on.
func (s *State) settle1(t *task) TaskRecord {
	r := t.record()
	t.dirty, t.was, t.wasLease = false, t.state, r.Lease
	return r
}

// markStep marks a step for the next commit.
func (s *State) markStep(st *step) {
	if !st.changed {
		st.changed = true
		s.dirtySteps = append(s.dirtySteps, st)
	}
}
