package sched

import "container/heap"

// line is the queue of a lane, in order of rank. The tasks of a step are nearly
// always queued in order, so they stand in a run from which the first is taken
// without a comparison; only those that come back before others that wait (a
// requeued one keeps its place) go through a heap. A claim therefore costs the
// same whether a thousand or a million stand behind.
//
// A task knows its place: 0 in no line, n+1 position n of the run (counted from
// the line's beginning, so that it never changes), -n-1 index n of the heap.
type line struct {
	run  []*task // in order, the first one is there; nil where one was withdrawn
	base int     // the position of run[0]
	late lateHeap
	n    int
}

func (l *line) len() int { return l.n }

// first is the task that goes first, nil if there is none.
func (l *line) first() *task {
	switch {
	case len(l.run) == 0 && len(l.late) == 0:
		return nil
	case len(l.run) == 0:
		return l.late[0]
	case len(l.late) == 0 || l.run[0].before(l.late[0]):
		return l.run[0]
	default:
		return l.late[0]
	}
}

func (l *line) push(t *task) {
	l.n++
	if len(l.run) == 0 || l.run[len(l.run)-1].before(t) {
		t.place = int32(l.base + len(l.run) + 1)
		l.run = append(l.run, t)
		return
	}
	heap.Push(&l.late, t)
}

// remove takes out a task, wherever it stands.
func (l *line) remove(t *task) {
	l.n--
	if t.place < 0 {
		heap.Remove(&l.late, int(-t.place-1))
		return
	}
	l.run[int(t.place)-1-l.base] = nil
	t.place = 0
	l.trim()
}

// trim drops withdrawn places at both ends of the run, so that the first and
// the last are tasks.
func (l *line) trim() {
	front := 0
	for front < len(l.run) && l.run[front] == nil {
		front++
	}
	l.run, l.base = l.run[front:], l.base+front
	for len(l.run) > 0 && l.run[len(l.run)-1] == nil {
		l.run = l.run[:len(l.run)-1]
	}
	if len(l.run) == 0 {
		l.run, l.base = nil, 0 // lets go of the room of all that was served
	}
}

// countBefore counts the tasks that go before t, up to limit.
func (l *line) countBefore(t *task, limit int) int {
	n := l.late.countBefore(t, 0, 0, limit)
	for _, o := range l.run {
		if n >= limit || (o != nil && !o.before(t)) {
			break
		}
		if o != nil {
			n++
		}
	}
	return n
}

// lateHeap holds the tasks that did not come in order.
type lateHeap []*task

func (h lateHeap) Len() int           { return len(h) }
func (h lateHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h lateHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = int32(-i-1), int32(-j-1)
}

func (h *lateHeap) Push(x any) {
	t := x.(*task)
	t.place = int32(-len(*h) - 1)
	*h = append(*h, t)
}

func (h *lateHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.place = 0
	return t
}

// countBefore adds to n what goes before t in the branch of i: a branch whose
// root does not go before t has nothing that does.
func (h lateHeap) countBefore(t *task, i, n, limit int) int {
	if n >= limit || i >= len(h) || !h[i].before(t) {
		return n
	}
	n = h.countBefore(t, 2*i+1, n+1, limit)
	return h.countBefore(t, 2*i+2, n, limit)
}
