package process

import (
	"cmp"
	"slices"
	"time"
)

// State is what a process is doing, as far as one can tell from outside.
type State string

// The states of a process.
const (
	Gone     State = "gone"     // no process has this number
	Running  State = "running"  // on a CPU or ready for one
	Sleeping State = "sleeping" // waits for something
	Blocked  State = "blocked"  // uninterruptible wait (disk, NFS, driver): KILL takes effect only after it
	Stopped  State = "stopped"  // by SIGSTOP, SIGTSTP or a debugger
	Zombie   State = "zombie"   // ended, not yet reaped
)

// Alive says whether the process can still act, or will once it is continued.
func (s State) Alive() bool { return s != Gone && s != Zombie }

// Proc is one process as last seen.
type Proc struct {
	PID   int    `json:"pid"`
	PPID  int    `json:"ppid"`
	Comm  string `json:"comm"` // program name as the kernel keeps it, at most 15 bytes on Linux
	State State  `json:"state"`
	// Start tells two bearers of one number apart: clock ticks since boot on
	// Linux, microseconds since 1970 on Darwin, 0 elsewhere.
	Start uint64 `json:"start"`
}

// ProcState looks at one process number now. A process that is gone has only
// PID and State.
func ProcState(pid int) Proc {
	e, ok := readProc(pid)
	if !ok {
		return Proc{PID: pid, State: Gone}
	}
	return e.Proc
}

// entry is a row of the process table.
type entry struct {
	Proc
	pgid, sid int
	cpu       time.Duration // own and of reaped children
	rss       int64         // bytes
	// kin says that the process belongs by itself, not only by descent: a
	// supervised worker's tasks descend from it, but TERM is not for them.
	kin bool
}

// identity is what membership is decided by.
type identity struct {
	pid     int    // main process, and with group true also session and group
	start   uint64 // nothing that started earlier belongs
	group   bool   // the numbers of session and group are proven to be ours
	self    int    // never a member
	special func(entry) bool
}

// members picks from the table what belongs to id, by number.
func (id identity) members(table []entry) []entry {
	in := make(map[int]uint64) // number → start
	var found []entry
	add := func(e entry, kin bool) {
		e.kin = kin
		in[e.PID] = e.Start
		found = append(found, e)
	}
	eligible := func(e entry) bool { return e.PID > 1 && e.PID != id.self && e.Start >= id.start }
	for _, e := range table {
		if !eligible(e) {
			continue
		}
		if id.group && (e.PID == id.pid || e.pgid == id.pid || e.sid == id.pid) || id.special(e) {
			add(e, true)
		}
	}
	for grown := true; grown; {
		grown = false
		for _, e := range table {
			if _, have := in[e.PID]; have || !eligible(e) {
				continue
			}
			if born, ok := in[e.PPID]; ok && e.Start >= born {
				add(e, false)
				grown = true
			}
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.PID, b.PID) })
	return found
}

// known remembers processes by number and start.
type known map[int]uint64

func (k known) holds(e entry) bool {
	start, ok := k[e.PID]
	return ok && start == e.Start
}

// alive drops what has ended.
func alive(all []entry) []entry {
	return slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return !e.State.Alive() })
}

func procs(all []entry) []Proc {
	var out []Proc
	for _, e := range all {
		out = append(out, e.Proc)
	}
	return out
}
