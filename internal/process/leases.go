package process

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"candor/internal/durable"
)

// A worker records each running attempt under its name, so that its successor
// or its supervisor can end what it left:
//
//	<state>/workers/<worker>/leases/<lease>.json     the Record
//	<state>/workers/<worker>/leases/<lease>.fenced   the attempt must not run (see Fence)

// LeaseDir is the folder of a worker's lease records.
func LeaseDir(stateDir, worker string) string {
	return filepath.Join(stateDir, "workers", worker, "leases")
}

// LeasePath is where the attempt of one lease is recorded.
func LeasePath(leaseDir string, lease int64) string {
	return filepath.Join(leaseDir, strconv.FormatInt(lease, 10)+".json")
}

func fencePath(record string) string { return strings.TrimSuffix(record, ".json") + ".fenced" }

// Fence forbids an attempt to start or to go on: a frozen worker that claimed
// it, but had not started it yet, finds the fence when it thaws. why is a
// sentence for whoever finds it; "" where there is no more to say.
func Fence(record, why string) error {
	if err := durable.ReplaceFile(fencePath(record), []byte(why)); err != nil {
		return fmt.Errorf("fence lease: %w", err)
	}
	return nil
}

// Fenced tells whether Fence was called for a record, and why.
func Fenced(record string) (why string, fenced bool) {
	b, err := os.ReadFile(fencePath(record))
	return string(b), err == nil
}

// DropLease removes a record and its fence, once it is proven that nothing of
// the attempt is left.
func DropLease(record string) error {
	if err := os.Remove(fencePath(record)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop fence: %w", err)
	}
	return RemoveRecord(record)
}

// Intent records a process that is about to be started. Its number is not known
// yet, so only its mark finds it; whoever dies between start and record leaves
// nothing that could not be found.
func Intent(mark []string, argv0 string, now time.Time) Record {
	return Record{PID: math.MaxInt32, Boot: bootID(), Mark: mark, Argv0: argv0, Started: now, Owner: Self()}
}

// Swept is one lease that was found in a folder of records.
type Swept struct {
	Path   string
	Record Record // zero if it could not be read
	Leftover
	Err    error // why nothing is known about it
	LogErr error // why the end of its output is not in its log
}

// Clean says that nothing of it is left alive, for certain.
func (s Swept) Clean() bool { return s.Err == nil && len(s.Survivors) == 0 }

// Names tells what is left of it, for people.
func (s Swept) Names() []string {
	if s.Err != nil {
		return []string{fmt.Sprintf("unknown: %v", s.Err)}
	}
	return Names(s.Survivors)
}

// Names writes processes as "pid 8812 (ffmpeg)".
func Names(all []Proc) []string {
	var out []string
	for _, p := range all {
		out = append(out, fmt.Sprintf("pid %d (%s)", p.PID, p.Comm))
	}
	return out
}

// KillLeases ends what is recorded in a folder and removes the records of what
// is proven to be gone. A missing folder holds nothing. It is for a folder
// whose worker is dead: no fence is needed any more.
func KillLeases(clk Clock, leaseDir string, patience time.Duration) ([]Swept, error) {
	entries, err := os.ReadDir(leaseDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read lease records: %w", err)
	}
	var all []Swept
	for _, e := range entries {
		path := filepath.Join(leaseDir, e.Name())
		switch filepath.Ext(path) {
		case ".fenced", ".new":
			// Forbids a lease that nobody will be given again; half a record,
			// before which the whole one was written.
			_ = os.Remove(path)
		case ".json":
			all = append(all, dropClean(killLease(clk, path, patience)))
		}
	}
	return all, nil
}

// FenceLease forbids one attempt and ends its processes, while its worker may
// be frozen and thaw at any time. Record and fence stay for the worker to find.
// An attempt without a record has no process: it is clean.
func FenceLease(clk Clock, record string, patience time.Duration) Swept {
	if err := Fence(record, ""); err != nil {
		return Swept{Path: record, Err: err}
	}
	return killLease(clk, record, patience)
}

// dropClean removes the record of what is proven to be gone. The end of what it
// printed is put in its place first, since the worker that would have is dead.
func dropClean(s Swept) Swept {
	if !s.Clean() {
		return s
	}
	if s.Record.Log != "" {
		s.LogErr = finishLog(s.Record.Log)
	}
	s.Err = RemoveRecord(s.Path)
	return s
}

func killLease(clk Clock, record string, patience time.Duration) Swept {
	s := Swept{Path: record}
	s.Record, s.Err = ReadRecord(record)
	if errors.Is(s.Err, fs.ErrNotExist) {
		s.Err = nil
		return s
	}
	if s.Err == nil {
		s.Leftover, s.Err = KillRecorded(clk, s.Record, patience)
	}
	return s
}
