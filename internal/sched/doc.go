// Package sched decides. It is candor's state machine: a State, a command and
// an instant go in; changes to persist, events to tell and a reply come out.
//
// It is pure: no I/O, no clock, no log, no goroutine, no lock, and nothing in
// its output depends on map order. That makes simulation, property tests and
// replay cheap, and it makes explaining honest: the predicate that lets a
// worker take a task is the one that says why it does not (see Eligible).
//
// It is not safe for concurrent use; one loop (package brain) owns it. A State
// whose changes could not be committed must be thrown away and loaded again.
//
// The queue. Tasks with equal requirements share a shape; eligibility is asked
// per worker and shape. In a shape each step of each batch has a lane, ordered
// by rank; a claim looks at shapes, never at all tasks:
//
//	shape{class, model, vram, labels, tools, avoid}
//	  └─ lanes by rank ── lane{batch, step} ── tasks by rank
//
// Rank is the instant a task was queued, less its priority times Config.Aging:
// the smaller goes first. Since everybody ages equally, the order of two tasks
// never changes while they wait, and no heap is ever rebuilt.
package sched
