package process

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// Leftover is what KillRecorded found and did.
type Leftover struct {
	// Main is the recorded process as found: Gone when it ended, when its
	// number has another bearer, or when the host was rebooted since.
	Main Proc `json:"main"`
	// Killed were alive and belonged to the record.
	Killed []Proc `json:"killed,omitempty"`
	// Survivors were still alive when KillRecorded gave up.
	Survivors []Proc `json:"survivors,omitempty"`
	// Unproven sit in the recorded group without main process or mark to prove
	// that they belong: named, not killed.
	Unproven []Proc        `json:"unproven,omitempty"`
	Took     time.Duration `json:"took"` // nanoseconds
}

// KillRecorded ends with KILL whatever still lives of a recorded process: its
// session and group if the main process is the recorded one, and everything
// that carries its mark or is in its cgroup. It waits up to patience for them
// to be gone. An error means that it could not look: nothing is known then.
func KillRecorded(clk Clock, r Record, patience time.Duration) (Leftover, error) {
	begun := clk.Now()
	l := Leftover{Main: Proc{PID: r.PID, State: Gone}}
	if !canSee {
		return l, fmt.Errorf("kill recorded process %d: its identity cannot be checked on this system", r.PID)
	}
	if r.Boot != bootID() {
		return l, nil
	}
	if main := ProcState(r.PID); main.Start == r.Start {
		l.Main = main
	}
	killed := known{}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left, unproven, err := r.find(killed)
		if err != nil {
			return l, fmt.Errorf("kill recorded process %d: %w", r.PID, err)
		}
		l.Survivors, l.Unproven = procs(left), procs(unproven)
		l.Took = clk.Now().Sub(begun)
		if len(left) == 0 || l.Took > patience {
			if len(left) == 0 && r.Cgroup != "" {
				_ = os.Remove(r.Cgroup) // an emptied leaf; gone is as good
			}
			return l, nil
		}
		for _, e := range left {
			if !killed.holds(e) {
				killed[e.PID] = e.Start
				l.Killed = append(l.Killed, e.Proc)
			}
		}
		r.kill(left)
		<-clk.After(pause)
	}
}

// find looks for the living that belong to the record, and for those of which
// one cannot tell. The group's number proves something only while the recorded
// main process holds it, if only as a zombie.
func (r Record) find(killed known) (left, unproven []entry, err error) {
	table, err := listProcs()
	if err != nil {
		return nil, nil, err
	}
	group, taken := false, false
	for _, e := range table {
		if e.PID == r.PID {
			taken, group = true, e.Start == r.Start
		}
	}
	inLeaf := map[int]bool{}
	if r.Cgroup != "" {
		inLeaf = (&leaf{dir: r.Cgroup}).pids()
	}
	id := identity{
		pid: r.PID, start: r.Start, group: group, self: os.Getpid(),
		special: func(e entry) bool { return inLeaf[e.PID] || killed.holds(e) || carries(e.PID, r.Mark) },
	}
	left = alive(id.members(table))
	for _, e := range table {
		if !taken && e.State.Alive() && (e.pgid == r.PID || e.sid == r.PID) && !has(left, e.PID) {
			unproven = append(unproven, e)
		}
	}
	return left, unproven, nil
}

// kill kills one by one, each matched by its start time, and the cgroup as one.
func (r Record) kill(left []entry) {
	if r.Cgroup != "" {
		_ = (&leaf{dir: r.Cgroup}).kill()
	}
	for _, e := range left {
		_ = killOne(e.Proc) // the next look tells
	}
}

func has(all []entry, pid int) bool {
	return slices.ContainsFunc(all, func(e entry) bool { return e.PID == pid })
}
