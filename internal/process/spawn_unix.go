//go:build linux || darwin

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	canTerm = true
	sigKill = int(unix.SIGKILL)
)

// apart makes the child lead a session of its own: a terminal's interrupt does
// not reach it, and a descendant leaves it by setsid only, not by setpgid.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// signalGroup signals a whole group at once, which no fork can outrun.
func signalGroup(pgid int, sig unix.Signal) error { return gone(unix.Kill(-pgid, sig)) }

func termGroup(pgid int) error {
	return errors.Join(signalGroup(pgid, unix.SIGTERM), signalGroup(pgid, unix.SIGCONT))
}

func killGroup(pgid int) error { return signalGroup(pgid, unix.SIGKILL) }

// wakeGroup and wakeOne let what is stopped go on.
func wakeGroup(pgid int) error { return signalGroup(pgid, unix.SIGCONT) }
func wakeOne(p Proc) error     { return signalExact(p, unix.SIGCONT) }

func termOne(p Proc) error {
	return errors.Join(signalExact(p, unix.SIGTERM), signalExact(p, unix.SIGCONT))
}

func killOne(p Proc) error { return signalExact(p, unix.SIGKILL) }

// gone turns "no such process" into success: it is what we wanted.
func gone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// reapOrphan collects a zombie that became our child through BecomeSubreaper.
// It must not be the child of anybody's exec.Cmd.
func reapOrphan(pid int) { _, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) }

func signalOf(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return int(ws.Signal())
	}
	return 0
}

// signalName is "KILL" for 9.
func signalName(sig int) string {
	if n := unix.SignalName(unix.Signal(sig)); len(n) > 3 {
		return n[3:]
	}
	return "?"
}

func pipeInode(f *os.File) uint64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// maxRSS is in bytes.
func maxRSS(s *os.ProcessState) int64 {
	if ru, ok := s.SysUsage().(*syscall.Rusage); ok {
		return ru.Maxrss * rusageUnit
	}
	return 0
}

// openQuiet opens for reading what a job made, without following a link to
// elsewhere and without waiting for the writer of a FIFO.
func openQuiet(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}
