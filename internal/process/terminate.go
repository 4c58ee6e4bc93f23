package process

import (
	"context"
	"time"
)

// Report says what Terminate had to do.
type Report struct {
	TermSent  bool          `json:"term_sent"`
	KillSent  bool          `json:"kill_sent"`
	Survivors []Proc        `json:"survivors,omitempty"`
	Took      time.Duration `json:"took"` // nanoseconds
}

// Terminate ends the process: TERM to all of it (then CONT, so that a stopped
// one can act on it), grace for it to end, then KILL, then a look whether
// anything is left. The end of ctx cuts the grace short, never the killing.
// It returns once nothing is left, or a few seconds after KILL with what is.
// Calling it on an ended process, or twice at once, is safe.
//
// TERM goes to what belongs to the process by itself. Its children that lead
// sessions of their own (the tasks of a worker) are its own to end; KILL
// reaches them too. What leads, by its Spec, gets TERM alone.
func (p *Process) Terminate(ctx context.Context, grace time.Duration) Report {
	begun := p.clk.Now()
	var r Report
	select {
	case <-p.done:
		r.Survivors = p.exit.Survivors
		return r
	default:
	}
	p.mu.Lock()
	p.ours = p.ours || !p.ended
	if until := begun.Add(grace); until.After(p.deadline) {
		p.deadline = until
	}
	p.mu.Unlock()
	if canTerm && grace > 0 {
		r.TermSent = true
		p.term()
		p.abide(ctx, begun.Add(grace))
	}
	p.endGrace()
	select {
	case <-p.done:
	default:
		r.KillSent, r.Survivors = p.killAll()
	}
	if len(r.Survivors) == 0 {
		p.settle(&r)
	}
	r.Took = p.clk.Now().Sub(begun)
	return r
}

// wakeEvery is how often what has been told to end is woken. What stops itself
// just after it was told would sleep through its grace.
const wakeEvery = 250 * time.Millisecond

// abide waits for the process to end, until its grace does.
func (p *Process) abide(ctx context.Context, until time.Time) {
	for {
		left := until.Sub(p.clk.Now())
		if left <= 0 {
			return
		}
		select {
		case <-p.done:
			return
		case <-ctx.Done():
			return
		case <-p.clk.After(min(left, wakeEvery)):
			p.signal(p.kin(), wakeGroup, wakeOne)
		}
	}
}

func (p *Process) term() {
	if p.spec.Leads && p.termMain() {
		return
	}
	p.signal(p.kin(), termGroup, termOne)
}

// termMain tells the main process alone; false if there is none any more.
func (p *Process) termMain() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.reaped {
		return false
	}
	return termOne(p.main) == nil // what could not be sent to it goes to all
}

// kin are the living that belong to the process by itself.
func (p *Process) kin() []entry {
	all, _, _ := p.members() // an unreadable table leaves the group
	var kin []entry
	for _, e := range alive(all) {
		if e.kin {
			kin = append(kin, e)
		}
	}
	return kin
}

// endGrace lets supervise stop waiting for stragglers.
func (p *Process) endGrace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = time.Time{}
}

// settle waits for supervise to finish what is dead. Nothing can hold it up for
// longer than an unknown holder of the output may, and the killing of that one.
func (p *Process) settle(r *Report) {
	select {
	case <-p.done:
		r.Survivors = p.exit.Survivors
	case <-p.clk.After(p.spec.Drain + killPatience):
	}
}
