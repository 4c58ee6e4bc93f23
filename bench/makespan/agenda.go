package main

import (
	"container/heap"
	"time"
)

// agenda is what is to happen in virtual time: at its instant, and among equal
// ones first come, first served.
type agenda struct {
	now   time.Duration
	seq   int
	ahead due
}

type doing struct {
	at  time.Duration
	seq int
	do  func() error
}

type due []doing

func (d due) Len() int { return len(d) }
func (d due) Less(i, j int) bool {
	return d[i].at < d[j].at || d[i].at == d[j].at && d[i].seq < d[j].seq
}
func (d due) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *due) Push(x any)   { *d = append(*d, x.(doing)) }
func (d *due) Pop() any {
	old := *d
	last := old[len(old)-1]
	old[len(old)-1] = doing{}
	*d = old[:len(old)-1]
	return last
}

func (a *agenda) at(t time.Duration, do func() error) {
	a.seq++
	heap.Push(&a.ahead, doing{at: max(t, a.now), seq: a.seq, do: do})
}

func (a *agenda) after(d time.Duration, do func() error) { a.at(a.now+d, do) }

// next lets the next thing happen.
func (a *agenda) next() error {
	d := heap.Pop(&a.ahead).(doing)
	a.now = d.at
	return d.do()
}
