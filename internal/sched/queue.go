package sched

import (
	"container/heap"
	"slices"
	"strconv"
	"strings"
	"time"

	"candor"
)

// shape is the set of queued tasks with equal requirements. Whether a worker
// may take one is asked once for all of them.
type shape struct {
	key   string
	want  Want
	lanes laneHeap // lanes that have tasks and are not held
	refs  int      // lanes that belong to it, empty ones too

	ready   int // tasks in lanes that are not held
	held    int // tasks in lanes of paused batches
	backoff int // tasks whose next try waits

	fresh int64 // State.ready when its last task became claimable

	last    taken
	takings takings // the last ones, for the ledgers of those who wait
	peers   *peers  // of whom little of it is shared among; see share.go
}

// taken is who got a shape's last task, for those who would have liked it.
type taken struct {
	task   *task
	winner string
	at     time.Time
	asked  time.Time // when the winner had asked
}

func (sh *shape) total() int { return sh.ready + sh.held + sh.backoff }

// lane is the queue of one step of one batch in one shape.
type lane struct {
	step  *step
	shape *shape // nil: its batch was closed, and nothing of it is in the queue any more
	tasks line
	pos   int // in shape.lanes; -1 when not there
	size  int // tasks in it, those too whose next try waits
}

type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].tasks.first().before(h[j].tasks.first()) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.pos = len(*h)
	*h = append(*h, l)
}

func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.pos = -1
	return l
}

// shapeKey names a set of requirements. Each part has its length before it, so
// that no two sets have one key, whatever the words in them.
func shapeKey(spec *candor.Step, avoid []string) string {
	var b strings.Builder
	add := func(parts ...string) {
		b.WriteString(strconv.Itoa(len(parts)))
		for _, part := range parts {
			b.WriteByte(' ')
			b.WriteString(strconv.Itoa(len(part)))
			b.WriteByte(':')
			b.WriteString(part)
		}
		b.WriteByte(';')
	}
	add(string(spec.Class), spec.Model, strconv.FormatInt(int64(spec.VRAM), 10), spec.Requires.Worker)
	add(spec.Accept...)
	add(strconv.Itoa(spec.Context))
	if o := spec.Order; o != nil {
		add(string(o.Kind), o.Model, strconv.Itoa(o.Context), strconv.FormatBool(o.By == byRule))
		add(o.Evict...)
	}
	add(spec.Requires.Labels...)
	add(spec.Requires.Tools...)
	add(avoid...)
	return b.String()
}

// laneFor finds or makes the lane of a step for tasks that avoid these workers.
func (s *State) laneFor(st *step, avoid []string) *lane {
	if len(avoid) == 0 && st.lane != nil {
		return st.lane
	}
	key := shapeKey(st.spec, avoid)
	for _, l := range st.extra {
		if l.shape.key == key {
			return l
		}
	}
	l := &lane{step: st, shape: s.shapeFor(key, st.spec, avoid), pos: -1}
	l.shape.refs++
	if len(avoid) == 0 {
		st.lane = l
	} else {
		st.extra = append(st.extra, l)
	}
	return l
}

func (s *State) shapeFor(key string, spec *candor.Step, avoid []string) *shape {
	if sh := s.shapes[key]; sh != nil {
		return sh
	}
	sh := &shape{key: key, want: WantOf(spec, avoid)}
	sh.want.shape = sh
	s.shapes[key] = sh
	s.shapeList = append(s.shapeList, sh)
	return sh
}

// dropShapes forgets shapes that nobody has.
func (s *State) dropShapes() {
	s.unused = false
	s.shapeList = slices.DeleteFunc(s.shapeList, func(sh *shape) bool {
		if sh.refs == 0 {
			delete(s.shapes, sh.key)
		}
		return sh.refs == 0
	})
}

// leaveLane takes a task off its lane's count. A lane of tasks that avoid some
// worker goes with its last one: every claim looks at every shape, and there may
// be one for each worker that ever failed.
func (s *State) leaveLane(t *task) {
	l := t.lane
	t.lane = nil
	l.size--
	if st := l.step; l.size == 0 && l != st.lane {
		st.extra = slices.DeleteFunc(st.extra, func(o *lane) bool { return o == l })
		if l.shape.refs--; l.shape.refs == 0 {
			s.dropShapes()
		}
	}
}

// enqueue puts a queued task where claims find it, or among those that wait
// for their next try.
func (s *State) enqueue(t *task) {
	var avoid []string
	if t.past != nil {
		avoid = t.past.avoid
	}
	l := s.laneFor(t.step, avoid)
	t.lane = l
	l.size++
	if t.past != nil && t.past.notBefore.After(s.now) {
		l.shape.backoff++
		t.place = 0
		s.timers.add(t.past.notBefore, t)
		return
	}
	s.offer(l, t)
}

// offer puts a task into its lane's heap.
func (s *State) offer(l *lane, t *task) {
	first := l.tasks.len() == 0 || t.before(l.tasks.first())
	l.tasks.push(t)
	if l.step.batch.pause != nil {
		l.shape.held++
		return
	}
	l.shape.ready++
	s.ready++
	s.narrow++
	l.shape.fresh = s.ready
	switch {
	case l.pos < 0:
		s.open(l)
	case first:
		heap.Fix(&l.shape.lanes, l.pos)
	}
}

// open lets claims find a lane, and shut hides it.
func (s *State) open(l *lane) {
	heap.Push(&l.shape.lanes, l)
	s.passings.open(l.step.spec.Priority)
}

func (s *State) shut(l *lane) {
	heap.Remove(&l.shape.lanes, l.pos)
	s.passings.shut(l.step.spec.Priority)
}

// shrink takes note that a lane has lost a task, which may have been its first
// or its last.
func (s *State) shrink(l *lane) {
	l.shape.ready--
	if l.tasks.len() == 0 {
		s.shut(l)
	} else {
		heap.Fix(&l.shape.lanes, l.pos)
	}
}

// withdraw takes a queued task out of the queue.
func (s *State) withdraw(t *task) {
	l := t.lane
	if l.shape == nil { // condemned with its batch
		t.lane, t.place = nil, 0
		return
	}
	defer s.leaveLane(t)
	if t.place == 0 {
		l.shape.backoff--
		return
	}
	l.tasks.remove(t)
	if l.pos < 0 {
		l.shape.held--
		return
	}
	s.shrink(l)
}

// hold takes a paused batch's lanes out of their shapes; release puts them back.
func (s *State) hold(b *batch) {
	for l := range b.eachLane() {
		if l.pos >= 0 {
			s.shut(l)
			l.shape.ready -= l.tasks.len()
			l.shape.held += l.tasks.len()
		}
	}
}

func (s *State) release(b *batch) {
	for l := range b.eachLane() {
		if l.pos < 0 && l.tasks.len() > 0 {
			s.open(l)
			l.shape.ready += l.tasks.len()
			l.shape.held -= l.tasks.len()
			s.ready++
		}
	}
}

// head is the task that goes first in a shape.
func (sh *shape) head() *task { return sh.lanes[0].tasks.first() }
