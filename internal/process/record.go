package process

import (
	"errors"
	"time"
)

// Record is what a successor needs in order to find and end a process whose
// parent died without doing so.
type Record struct {
	Schema  string    `json:"schema"` // candor.process/v1
	PID     int       `json:"pid"`    // also the process group and session
	Start   uint64    `json:"start"`  // see Proc.Start
	Boot    string    `json:"boot"`   // boot id of the host; Start means nothing after a reboot
	Mark    []string  `json:"mark,omitempty"`
	Cgroup  string    `json:"cgroup,omitempty"`
	Lease   uint64    `json:"lease,omitempty"`
	Task    string    `json:"task,omitempty"`
	Argv0   string    `json:"argv0"`
	Started time.Time `json:"started"`
}

var errTODO = errors.New("not built yet")

// WriteRecord puts r at path durably: file and folder are on disk when it
// returns, and a reader finds the old record or the new one, never half.
func WriteRecord(path string, r Record) error { return errTODO }

// ReadRecord reads what WriteRecord wrote. A missing file is fs.ErrNotExist.
func ReadRecord(path string) (Record, error) { return Record{}, errTODO }

// RemoveRecord deletes a record durably; a missing one is no error.
func RemoveRecord(path string) error { return errTODO }

// Leftover is what KillRecorded found and did.
type Leftover struct {
	// Main is the recorded process as found: Gone when it ended, when its
	// number has another bearer, or when the host was rebooted since.
	Main Proc
	// Killed were alive and belonged to the record.
	Killed []Proc
	// Survivors were still alive when KillRecorded gave up.
	Survivors []Proc
	// Unproven sit in the recorded group without main process or mark to prove
	// that they belong: named, not killed.
	Unproven []Proc
	Took     time.Duration
}

// KillRecorded ends with KILL whatever still lives of a recorded process: its
// session and group if the main process is the recorded one, and everything
// that carries its mark or is in its cgroup. It waits up to patience for them
// to be gone.
func KillRecorded(clk Clock, r Record, patience time.Duration) (Leftover, error) {
	return Leftover{}, errTODO
}
