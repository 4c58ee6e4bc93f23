package sched

import (
	"container/heap"
	"slices"
	"time"
)

// timers holds tasks whose next try waits, by when it is due. An entry whose
// task has moved on meanwhile is skipped when it comes up.
type timers []timer

type timer struct {
	at   time.Time
	task *task
}

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timers) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timers) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = timer{} // it would keep the batch of its task in memory
	*h = old[:len(old)-1]
	return t
}

func (h *timers) add(at time.Time, t *task) { heap.Push(h, timer{at, t}) }

// inBackoff tells whether a task waits for its next try.
func (t *task) inBackoff() bool {
	return t.state == queued && t.place == 0 && t.lane != nil && t.lane.shape != nil && t.past != nil
}

// next is the task whose next try is due first, nil if none waits for one.
func (h *timers) next() *task {
	for len(*h) > 0 {
		e := (*h)[0]
		if e.task.inBackoff() && e.task.past.notBefore.Equal(e.at) {
			return e.task
		}
		heap.Pop(h)
	}
	return nil
}

// firstOf is the task of each shape whose next try is due first.
func (h timers) firstOf() map[*shape]*task {
	first := map[*shape]*task{}
	for _, e := range h {
		if t := e.task; t.inBackoff() && t.past.notBefore.Equal(e.at) {
			if f := first[t.lane.shape]; f == nil || e.at.Before(f.past.notBefore) {
				first[t.lane.shape] = t
			}
		}
	}
	return first
}

// forget drops the entries of tasks that leave memory.
func (h *timers) forget(leaves func(*batch) bool) {
	*h = slices.DeleteFunc(*h, func(e timer) bool { return leaves(e.task.batch()) })
	heap.Init(h)
}

// due removes and returns the next task whose time has come.
func (h *timers) due(now time.Time) *task {
	for len(*h) > 0 && !(*h)[0].at.After(now) {
		e := heap.Pop(h).(timer)
		t := e.task
		if t.inBackoff() && t.past.notBefore.Equal(e.at) {
			return t
		}
	}
	return nil
}
