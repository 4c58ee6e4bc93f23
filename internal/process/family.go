package process

import (
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// Family is all the children of a process that has made itself their reaper
// (BecomeSubreaper): those that it started through Spec.Family, and orphans,
// whose parents have ended and which the kernel gave to it instead of to init.
// A nil Family has no members, and does nothing.
//
// An orphan that belongs to no living member, and is older than every member
// that is a job, is what an ended job left: by neither session, nor group, nor
// mark, nor output could it be found before. Children that were not started
// through Spec.Family must stay in this process's own session, as os/exec leaves
// them: those are never touched.
type Family struct {
	// starting is held shared from before a child is forked until it is known
	// here, and alone by whoever looks for orphans: what it finds and does not
	// know is no child of our own that is about to become known.
	starting sync.RWMutex

	mu sync.Mutex
	// guarded by mu
	members map[int]*Process
}

// NewFamily makes this process the reaper of its descendants (Linux; elsewhere an error).
func NewFamily() (*Family, error) {
	if err := BecomeSubreaper(); err != nil {
		return nil, err
	}
	return &Family{members: map[int]*Process{}}, nil
}

// start forks a child and makes it known.
func (f *Family) start(p *Process, fork func() error) error {
	if f == nil {
		return fork()
	}
	f.starting.RLock()
	defer f.starting.RUnlock()
	if err := fork(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[p.main.PID] = p
	return nil
}

// leave forgets a member that has been reaped.
func (f *Family) leave(p *Process) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, p.main.PID)
}

// living are the members that have not been reaped.
func (f *Family) living() []*Process {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*Process
	for _, p := range f.members {
		all = append(all, p)
	}
	return all
}

// EndOrphans ends with KILL what ended jobs have left, reaps what has ended, and
// says what it ended and what is still alive after patience.
func (f *Family) EndOrphans(clk Clock, patience time.Duration) (ended, survivors []Proc) {
	if f == nil {
		return nil, nil
	}
	until := clk.Now().Add(patience)
	killed := known{}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left := f.orphans()
		if len(left) == 0 || clk.Now().After(until) {
			return ended, procs(left)
		}
		for _, e := range left {
			if !killed.holds(e) {
				killed[e.PID] = e.Start
				ended = append(ended, e.Proc)
			}
			_ = killOne(e.Proc) // the next look tells
		}
		<-clk.After(pause)
	}
}

// orphans reaps those that have ended and returns the living ones that are no
// living member's.
func (f *Family) orphans() []entry {
	f.starting.Lock()
	defer f.starting.Unlock()
	table, err := listProcs()
	if err != nil {
		return nil
	}
	members := f.living()
	self := os.Getpid()
	own := find(table, self)
	if own.PID == 0 {
		return nil // which session is ours is not known
	}
	oldest := uint64(math.MaxUint64)
	for _, p := range members {
		if !p.spec.Lasting {
			oldest = min(oldest, p.main.Start)
		}
	}
	var left []entry
	for _, e := range table {
		if e.PPID != self || slices.ContainsFunc(members, func(p *Process) bool { return p.main.PID == e.PID }) {
			continue
		}
		switch {
		case e.sid == own.sid && (e.State.Alive() || e.pgid == own.pgid || e.pgid == e.PID):
			// A tool that os/exec runs, and will reap. What a tool left has its group.
		case e.State == Zombie:
			reapOrphan(e.PID)
		case e.Start < oldest:
			left = append(left, e)
		}
	}
	return slices.DeleteFunc(left, func(e entry) bool {
		return slices.ContainsFunc(members, func(p *Process) bool { return p.holds(e) })
	})
}

// holds tells whether an entry belongs to the process now.
func (p *Process) holds(e entry) bool {
	all, _, _ := p.members()
	return slices.ContainsFunc(all, func(m entry) bool { return m.PID == e.PID && m.Start == e.Start })
}

func find(table []entry, pid int) entry {
	i := slices.IndexFunc(table, func(e entry) bool { return e.PID == pid })
	if i < 0 {
		return entry{}
	}
	return table[i]
}
