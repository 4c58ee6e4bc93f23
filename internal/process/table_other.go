//go:build !linux && !darwin

package process

import "os"

const (
	cpuMeasured = false
	canSee      = false // the table of processes cannot be read
)

// The table of processes cannot be read here: only main processes are known.

func listProcs() ([]entry, error) { return nil, nil }

func readProc(pid int) (entry, bool) {
	if pid <= 0 {
		return entry{}, false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return entry{}, false
	}
	defer p.Release()
	return entry{Proc: Proc{PID: pid, State: Running}}, true
}

func carries(int, []string) bool { return false }

func bootID() string { return "" }

func pipeHolders(uint64, []entry, uint64, int) []entry { return nil }
