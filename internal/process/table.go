package process

import "time"

// State is what a process is doing, as far as one can tell from outside.
type State string

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

	pgid, sid int
	cpu       time.Duration // own and reaped children's
	rss       int64         // bytes
}

// ProcState looks at one process number now. A process that is gone has only
// PID and State.
func ProcState(pid int) Proc {
	p, ok := readProc(pid)
	if !ok {
		return Proc{PID: pid, State: Gone}
	}
	return p
}
