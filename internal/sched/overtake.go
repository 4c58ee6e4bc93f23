package sched

import (
	"fmt"
	"time"

	"candor"
)

// Overtaking. A task of higher priority that was queued later goes first, which
// is what priorities are for; who waits is told how often that happened, and
// when age will have outweighed it. Nothing is kept for each task that waits:
// what is kept are the last tasks that went before others.

// passing is a task that began while others of lower priority waited.
type passing struct {
	priority int
	queuedAt int64 // unix microseconds
	at       time.Time
	worker   string
}

// passingsKept is how many are remembered: enough that a person sees "very
// often" for what it is, little enough to look through at each question.
const passingsKept = 4096

// passings are the last tasks that passed others, and who could be passed.
type passings struct {
	ring  []passing
	next  int         // where the next one goes, once the ring is full
	lanes map[int]int // lanes that have claimable tasks, by priority
	least int         // the lowest priority among them
}

// open counts a lane whose tasks can be claimed from now on.
func (p *passings) open(priority int) {
	if p.lanes == nil {
		p.lanes = map[int]int{}
	}
	if len(p.lanes) == 0 || priority < p.least {
		p.least = priority
	}
	p.lanes[priority]++
}

// shut takes it back. The lowest priority is looked for only when its last lane
// has gone.
func (p *passings) shut(priority int) {
	if p.lanes[priority]--; p.lanes[priority] > 0 {
		return
	}
	delete(p.lanes, priority)
	if priority != p.least {
		return
	}
	first := true
	for q := range p.lanes { // the least of all: in any order
		if first || q < p.least {
			p.least, first = q, false
		}
	}
}

// note remembers a task that begins now, if it passes anybody.
func (p *passings) note(t *task, worker string, now time.Time) {
	priority := t.step.spec.Priority
	if len(p.lanes) == 0 || priority <= p.least {
		return
	}
	e := passing{priority: priority, queuedAt: t.queuedAt, at: now, worker: worker}
	if len(p.ring) < passingsKept {
		p.ring = append(p.ring, e)
		return
	}
	p.ring[p.next] = e
	p.next = (p.next + 1) % passingsKept
}

// overtaken is how often a waiting task was passed.
type overtaken struct {
	times int
	more  bool // at least so often: earlier ones are forgotten
	since time.Time
	by    int // the highest priority that passed it
}

// of counts who passed t on the workers that could have taken it.
func (p *passings) of(t *task, workers map[string]bool) overtaken {
	var o overtaken
	for i := range p.ring {
		e := &p.ring[(p.next+i)%len(p.ring)] // the oldest first
		if i == 0 && len(p.ring) == passingsKept {
			o.more = e.at.After(fromMicro(t.queuedAt))
		}
		if e.priority <= t.step.spec.Priority || e.queuedAt <= t.queuedAt || !workers[e.worker] {
			continue
		}
		if o.times == 0 {
			o.since = e.at
		}
		o.times++
		o.by = max(o.by, e.priority)
	}
	o.more = o.more && o.times > 0
	return o
}

// sayOvertaken adds to the reason of a task that could run, but waits, how often
// it was passed, if it was. Then that is the reason: capacity there was.
func (s *State) sayOvertaken(t *task, r *candor.Reason, workers []candor.WorkerChecks) *candor.Reason {
	able := map[string]bool{}
	for _, w := range workers {
		able[w.Worker] = w.Verdict != candor.VerdictNever
	}
	o := s.passings.of(t, able)
	if o.times == 0 {
		return r
	}
	spec := t.step.spec
	least := ""
	if o.more {
		least = "at least "
	}
	// What is queued later than this at that priority has a later rank.
	until := fromMicro(t.queuedAt).Add(time.Duration(o.by-spec.Priority) * s.cfg.Aging)
	age := fmt.Sprintf("from %s on it goes before what comes at priority %d", candor.FormatTime(until), o.by)
	if !s.now.Before(until) {
		age = fmt.Sprintf("since %s it goes before what comes at priority %d", candor.FormatTime(until), o.by)
	}
	r.Text += fmt.Sprintf("; overtaken %s%s since %s by priority %d, its own is %d; %s", least, times(o.times), candor.FormatTime(o.since), o.by, spec.Priority, age)
	if r.Code != candor.ReasonQueueNext { // then nobody is before it any more
		r.Code, r.Mover = candor.ReasonStarving, candor.ReasonStarving.Mover()
	}
	return r.With("overtaken", o.times).With("overtaken_since", candor.FormatTime(o.since)).With("by_priority", o.by).With("first_from", candor.FormatTime(until))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
