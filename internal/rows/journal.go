package rows

import (
	"os"
	"path/filepath"

	"candor"
)

// journalFile keeps the rows of a chunk that have ended, in the order in which
// they did, for a person who looks at an attempt that ended before its last row.
const journalFile = "results.partial.jsonl"

// journalGroup is how many rows may be lost with the power.
const journalGroup = 16

// journal is nil for a single row.
type journal struct {
	file  *os.File
	fresh int // lines that may not be on disk
}

func (r *run) openJournal() (*journal, error) {
	if !r.Chunk {
		return nil, nil
	}
	f, err := os.OpenFile(filepath.Join(r.Dir, journalFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &journal{file: f}, nil
}

func (j *journal) add(r candor.RowResult) error {
	if j == nil {
		return nil
	}
	line, err := marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if j.fresh++; j.fresh < journalGroup {
		return nil
	}
	j.fresh = 0
	return j.file.Sync()
}

// close ends the journal; kept says that it is all there will be.
func (j *journal) close(kept bool) {
	if j == nil {
		return
	}
	if kept {
		_ = j.file.Sync() // it is for reading only
	}
	_ = j.file.Close()
}

// drop removes the journal once the results are written.
func (j *journal) drop() error { return os.Remove(j.file.Name()) }
