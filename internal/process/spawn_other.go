//go:build !linux && !darwin

package process

import (
	"os"
	"os/exec"
	"strconv"
)

const (
	canTerm = false
	sigKill = 9
)

func apart(*exec.Cmd) {}

func termGroup(int) error { return nil }

// killGroup ends the tree below a process. taskkill is part of Windows; where
// it fails, the main process alone is killed.
func killGroup(pid int) error {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(pid)).Run() == nil {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	defer p.Release()
	return p.Kill()
}

func termOne(Proc) error { return nil }

func wakeGroup(int) error { return nil }
func wakeOne(Proc) error  { return nil }

func killOne(p Proc) error { return killGroup(p.PID) }

func reapOrphan(int) {}

func signalOf(*os.ProcessState) int { return 0 }

func signalName(int) string { return "?" }

func pipeInode(*os.File) uint64 { return 0 }

func maxRSS(*os.ProcessState) int64 { return 0 }

func openQuiet(path string) (*os.File, error) { return os.Open(path) }
