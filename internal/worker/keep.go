package worker

import (
	"cmp"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/record"
)

// tidy removes what an attempt wrote beside its outputs. A failed one's files
// stay for a look afterwards, and the answers of one that was interrupted; of
// these the newest KeepFailed are kept. Logs stay in either case, as long as the
// batch's history does.
func (w *worker) tidy(a *attempt, r candor.Result) {
	rows := a.spec.Step.LLM != nil
	if r.Exit == nil && !rows {
		return // nothing ran
	}
	if r.Exit != nil && len(r.Exit.Survived) > 0 {
		return // somebody may still write there
	}
	keep := r.Outcome != candor.AttemptDone && (rows || r.Outcome != candor.AttemptAborted) && w.o.KeepFailed > 0
	var err error
	if keep {
		err = w.keep(a)
	} else {
		err = attemptdir.RemoveTree(a.workDir())
	}
	if err != nil {
		w.sayTask(slog.LevelWarn, lineDisk, a, "Files of an ended attempt could not be cleared away", slog.Any(record.KeyError, err))
	}
}

// keep notes a folder under its lease, and removes the oldest beyond the bound.
// What cannot be removed is told once and never tried again: it must not be in
// the way of those behind it.
func (w *worker) keep(a *attempt) error {
	note := filepath.Join(w.keptDir(), strconv.FormatInt(a.Lease, 10))
	if err := os.WriteFile(note, []byte(a.workDir()), 0o600); err != nil {
		return err
	}
	entries, err := os.ReadDir(w.keptDir())
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(leaseNumber(a), leaseNumber(b)) })
	var bad error
	for _, e := range entries[:max(0, len(entries)-w.o.KeepFailed)] {
		bad = errors.Join(bad, w.unkeep(filepath.Join(w.keptDir(), e.Name())))
	}
	return bad
}

// unkeep removes a noted folder and its note.
func (w *worker) unkeep(note string) error {
	dir, err := os.ReadFile(note)
	if err == nil && w.ownWorkDir(string(dir)) {
		err = attemptdir.RemoveTree(string(dir))
	}
	return errors.Join(err, os.Remove(note))
}

// ownWorkDir tells whether a noted folder is a work directory of an attempt,
// whatever the note says: nothing else is ever removed.
func (w *worker) ownWorkDir(dir string) bool {
	rel, err := filepath.Rel(attemptdir.Root(w.o.StateDir), dir)
	parts := strings.Split(filepath.ToSlash(rel), "/")
	return err == nil && filepath.IsLocal(rel) && len(parts) == 4 && parts[3] == "work"
}

func leaseNumber(e os.DirEntry) int64 {
	n, _ := strconv.ParseInt(e.Name(), 10, 64)
	return n
}
