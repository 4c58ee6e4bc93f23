package sched

import (
	"container/heap"
	"slices"

	"candor"
)

// turns are the shapes that a claim may take from, as a heap: the one whose
// first task goes first on top. Among equals the worker's preferred class
// decides.
type turns struct {
	shapes []*shape
	prefer []candor.Class
}

// candidates are the shapes with tasks that a worker may take now.
func (s *State) candidates(have *Have) []*shape {
	var out []*shape
	for _, sh := range s.shapeList {
		if sh.ready == 0 {
			continue
		}
		if code, _ := Eligible(&sh.want, have, nil); code == "" {
			out = append(out, sh)
		}
	}
	return out
}

// turnsOf are the candidates in order.
func (s *State) turnsOf(w *worker, have *Have) *turns {
	q := &turns{shapes: s.candidates(have), prefer: w.info.Classes}
	heap.Init(q)
	return q
}

// next is whose turn it is, nil if nobody is left.
func (q *turns) next() *shape {
	if len(q.shapes) == 0 {
		return nil
	}
	return q.shapes[0]
}

// drop takes the shape on top out, and taken notes that its first task has gone.
func (q *turns) drop() { heap.Pop(q) }

func (q *turns) taken() {
	if q.shapes[0].ready == 0 {
		q.drop()
		return
	}
	heap.Fix(q, 0)
}

func (q *turns) Len() int      { return len(q.shapes) }
func (q *turns) Swap(i, j int) { q.shapes[i], q.shapes[j] = q.shapes[j], q.shapes[i] }
func (q *turns) Push(x any)    { q.shapes = append(q.shapes, x.(*shape)) }

func (q *turns) Pop() any {
	last := len(q.shapes) - 1
	sh := q.shapes[last]
	q.shapes = q.shapes[:last]
	return sh
}

func (q *turns) Less(i, j int) bool {
	a, b := q.shapes[i], q.shapes[j]
	x, y := a.head(), b.head()
	if rx, ry := x.rank(), y.rank(); rx != ry {
		return rx < ry
	}
	px, py := slices.Index(q.prefer, a.want.Class), slices.Index(q.prefer, b.want.Class)
	return px < py || px == py && x.id < y.id
}
