//go:build linux

package realtest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"candor/internal/process"
)

// Children lists the living processes that a process has started and whose
// command line holds part.
func Children(t *testing.T, parent int, part string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p := process.ProcState(pid)
		if p.PPID != parent || !p.State.Alive() {
			continue
		}
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.Contains(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})), part) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Child is the only one of Children.
func Child(t *testing.T, parent int, part string) int {
	t.Helper()
	pids := Children(t, parent, part)
	if len(pids) != 1 {
		t.Fatalf("%d processes of %d with %q, want one", len(pids), parent, part)
	}
	return pids[0]
}

// Signal sends a signal to a process that is there.
func Signal(t *testing.T, pid int, sig unix.Signal) {
	t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		t.Fatalf("signal %d to %d: %v", sig, pid, err)
	}
}

// Kill ends a process at once, and returns when it has ended.
func Kill(t *testing.T, pid int) {
	t.Helper()
	Signal(t, pid, unix.SIGKILL)
	Until(t, "the process is dead", func() bool { return !process.ProcState(pid).State.Alive() })
}

// Freeze stops a process; what it returns lets it go on, and may be called twice.
func Freeze(t *testing.T, pid int) func() {
	t.Helper()
	Signal(t, pid, unix.SIGSTOP)
	Until(t, "the process is stopped", func() bool { return process.ProcState(pid).State == process.Stopped })
	thaw := func() { _ = unix.Kill(pid, unix.SIGCONT) } // it may be gone by now
	t.Cleanup(thaw)
	return thaw
}
