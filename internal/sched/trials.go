package sched

import (
	"time"

	"candor"
)

// trials are the different tasks that failed on a worker lately, each with its
// last failure. One more costs the same however many there are.
type trials struct {
	line []trial // by time; of a task that failed again only the last counts
	base int     // the position of line[0]
	last map[candor.TaskID]int
}

// trial is one task that failed on a worker by its own fault, as far as could
// be told then.
type trial struct {
	task candor.TaskID
	at   time.Time
}

// note adds a failure, and forgets those from before since.
func (l *trials) note(task candor.TaskID, at, since time.Time) {
	if l.last == nil {
		l.last = map[candor.TaskID]int{}
	}
	l.last[task] = l.base + len(l.line)
	l.line = append(l.line, trial{task, at})
	for len(l.line) > 0 && (!l.counts(0) || l.line[0].at.Before(since)) {
		if l.counts(0) {
			delete(l.last, l.line[0].task)
		}
		l.line, l.base = l.line[1:], l.base+1
	}
}

// counts tells whether the failure at a place of the line is its task's last.
func (l *trials) counts(i int) bool { return l.last[l.line[i].task] == l.base+i }

func (l *trials) len() int { return len(l.last) }

// list is one trial for each task, the oldest first.
func (l *trials) list() []trial {
	var out []trial
	for i, t := range l.line {
		if l.counts(i) {
			out = append(out, t)
		}
	}
	return out
}
