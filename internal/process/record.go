package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"candor/internal/durable"
)

const recordSchema = "candor.process/v1"

// Record is what a successor needs in order to find and end a process whose
// parent died without doing so.
type Record struct {
	Schema string   `json:"schema"` // candor.process/v1
	PID    int      `json:"pid"`    // also the process group and session
	Start  uint64   `json:"start"`  // see Proc.Start
	Boot   string   `json:"boot"`   // boot id of the host; Start means nothing after a reboot
	Mark   []string `json:"mark,omitempty"`
	Cgroup string   `json:"cgroup,omitempty"`
	Lease  uint64   `json:"lease,omitempty"`
	// Owner is who started it and answers for it, by number and start; zero in
	// records of versions that did not say.
	Owner   Owner     `json:"owner,omitzero"`
	Task    string    `json:"task,omitempty"`
	Log     string    `json:"log,omitempty"` // where its output goes: see Spec.Log
	Argv0   string    `json:"argv0"`
	Started time.Time `json:"started"`
}

// Owner names a process among all that its number was and will be given to,
// since the boot that the record tells.
type Owner struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // see Proc.Start
}

// Self is this process as the owner of what it starts.
func Self() Owner {
	self := ProcState(os.Getpid())
	return Owner{PID: self.PID, Start: self.Start}
}

// WriteRecord puts r at path: a reader finds the old record or the new one, never
// half, whenever the writer dies. It waits for no disk, since no process outlives
// the machine.
func WriteRecord(path string, r Record) error {
	r.Schema = recordSchema
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write process record: %w", err)
	}
	if err := durable.ReplaceFile(path, append(b, '\n')); err != nil {
		return fmt.Errorf("write process record: %w", err)
	}
	return nil
}

// ReadRecord reads what WriteRecord wrote. A missing file is fs.ErrNotExist, and
// so is a blank one: the machine went down before it was on disk, and with the
// machine what it named.
func ReadRecord(path string) (Record, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(bytes.Trim(b, "\x00")) == 0 {
		err = &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return Record{}, fmt.Errorf("read process record: %w", err)
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return Record{}, fmt.Errorf("read process record %s: %w", path, err)
	}
	if r.Schema != recordSchema || r.PID <= 1 {
		return Record{}, fmt.Errorf("read process record %s: schema %q, pid %d: not a record", path, r.Schema, r.PID)
	}
	return r, nil
}

// RemoveRecord deletes a record; a missing one is no error. One that comes back
// with the disk of a machine that went down names nothing that runs: see Boot.
func RemoveRecord(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove process record: %w", err)
	}
	return nil
}
