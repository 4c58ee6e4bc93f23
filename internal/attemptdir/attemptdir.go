package attemptdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"candor"
)

// Root is the folder of all attempts in a state directory.
func Root(state string) string { return filepath.Join(state, "attempts") }

// Of is the folder of one attempt.
func Of(state string, batch candor.BatchID, task candor.TaskID, attempt int) string {
	return filepath.Join(Root(state), batch.String(), task.String(), strconv.Itoa(attempt))
}

// Batches are those of which attempts are kept, in the order of their names.
func Batches(state string) ([]candor.BatchID, error) {
	if err := isFolder(Root(state)); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(Root(state))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for attempts: %w", err)
	}
	var all []candor.BatchID
	for _, e := range entries {
		if id, err := candor.ParseBatchID(e.Name()); err == nil && e.IsDir() {
			all = append(all, id)
		}
	}
	return all, nil
}

// Remove takes away all that is kept of a batch's attempts. A batch without any
// is no error.
func Remove(state string, batch candor.BatchID) error {
	if err := isFolder(Root(state)); err != nil {
		return err
	}
	if err := RemoveTree(filepath.Join(Root(state), batch.String())); err != nil {
		return fmt.Errorf("remove attempts of %s: %w", batch, err)
	}
	return nil
}

// isFolder refuses a link in the place of a folder: what it names is not ours.
func isFolder(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for attempts: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("look for attempts: %s is no folder; nothing in it is removed", dir)
	}
	return nil
}

// Idle tells whether nothing has begun, ended or printed since then in any
// attempt of a batch. It looks at folders and logs, not at the work: an attempt
// that runs, and is silent, has to be known otherwise. It stops at the first
// sign of life.
func Idle(state string, batch candor.BatchID, since time.Time) bool {
	root := filepath.Join(Root(state), batch.String())
	idle := true
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.ModTime().After(since) {
			idle = false
			return fs.SkipAll
		}
		if d.IsDir() && d.Name() == "work" {
			return fs.SkipDir
		}
		return nil
	})
	return idle && err == nil
}
