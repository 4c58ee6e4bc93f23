package process

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	cpuMeasured = false
	canSee      = true // the table of processes can be read
)

func listProcs() ([]entry, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, err
	}
	out := make([]entry, 0, len(all))
	for i := range all {
		out = append(out, fromKinfo(&all[i]))
	}
	return out, nil
}

func readProc(pid int) (entry, bool) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(k.Proc.P_pid) != pid {
		return entry{}, false
	}
	return fromKinfo(k), true
}

func fromKinfo(k *unix.KinfoProc) entry {
	comm, _, _ := bytes.Cut(k.Proc.P_comm[:], []byte{0})
	start := k.Proc.P_starttime
	e := entry{
		Proc: Proc{
			PID: int(k.Proc.P_pid), PPID: int(k.Eproc.Ppid), Comm: string(bytes.ToValidUTF8(comm, []byte("?"))),
			State: stateOf(k.Proc.P_stat), Start: uint64(start.Sec)*1e6 + uint64(start.Usec),
		},
		pgid: int(k.Eproc.Pgid),
	}
	e.sid, _ = unix.Getsid(e.PID)
	return e
}

// stateOf reads p_stat of <sys/proc.h>.
func stateOf(stat int8) State {
	switch stat {
	case 2:
		return Running
	case 4:
		return Stopped
	case 5:
		return Zombie
	}
	return Sleeping
}

// carries reads the arguments area: a count, the program's path, then argv and
// the environment, each ended by a zero byte.
func carries(pid int, mark []string) bool {
	if len(mark) == 0 || !soundMark(mark) {
		return false
	}
	b, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil || len(b) < 4 {
		return false
	}
	argc := int(binary.NativeEndian.Uint32(b))
	_, rest, _ := bytes.Cut(b[4:], []byte{0})
	fields := bytes.Split(bytes.TrimLeft(rest, "\x00"), []byte{0})
	if argc > len(fields) {
		return false
	}
	env := fields[argc:]
	return !slices.ContainsFunc(mark, func(m string) bool {
		return !slices.ContainsFunc(env, func(e []byte) bool { return string(e) == m })
	})
}

func signalExact(e Proc, sig unix.Signal) error {
	if now, ok := readProc(e.PID); !ok || now.Start != e.Start {
		return nil
	}
	return gone(unix.Kill(e.PID, sig))
}

func bootID() string { return "" } // start times are absolute here

func pipeHolders(uint64, []entry, uint64, int) []entry { return nil }
