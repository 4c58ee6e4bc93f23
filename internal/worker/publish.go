package worker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/durable"
)

// leaseMark is the file in a task's output folder that says which lease made it.
const leaseMark = ".lease"

// errNewer says that a newer lease's outputs are in place already.
var errNewer = errors.New("a newer attempt's are there")

// publish moves an attempt's outputs into the batch's folder in one rename:
//
//	<batch>/<step>/.00003.17.new/  filled, synced ──rename──▶ <batch>/<step>/00003/
//
// What an older lease put there gives way; what a newer one put there stays.
// The lock keeps two attempts of one task, of which one is a ghost, from passing
// between each other's look and deed.
func publish(a *attempt, found map[string]string) error {
	if !candor.ValidName(a.spec.Step.Name) {
		return fmt.Errorf("step name %s cannot be a folder", quote(a.spec.Step.Name))
	}
	target := outputDir(a.spec.BatchDir, a.spec.Step.Name, a.Index)
	parent, base := filepath.Dir(target), filepath.Base(target)
	// The folder of all batches, and what it lies in, are this user's alone where
	// they are not there yet.
	if err := errors.Join(os.MkdirAll(filepath.Dir(a.spec.BatchDir), 0o700), os.MkdirAll(parent, 0o755)); err != nil {
		return err
	}
	stage := filepath.Join(parent, fmt.Sprintf(".%s.%d.new", base, a.Lease))
	if err := errors.Join(attemptdir.RemoveTree(stage), os.Mkdir(stage, 0o755)); err != nil {
		return err
	}
	if err := fill(stage, a.Lease, found); err != nil {
		return errors.Join(ofTheTask{err}, attemptdir.RemoveTree(stage))
	}
	lock := flock.New(filepath.Join(a.spec.BatchDir, ".publish"))
	if err := lock.Lock(); err != nil {
		return errors.Join(err, attemptdir.RemoveTree(stage))
	}
	defer func() { _ = lock.Close() }()
	there, err := leaseOf(target)
	if err == nil && there > a.Lease {
		return errors.Join(fmt.Errorf("%w: lease %d, ours is %d", errNewer, there, a.Lease), attemptdir.RemoveTree(stage))
	}
	if err == nil {
		err = replace(stage, target)
	}
	if err != nil {
		return errors.Join(err, attemptdir.RemoveTree(stage))
	}
	return durable.SyncDir(parent)
}

// fill fills the stage: the outputs under their declared paths, and the mark,
// all of it on disk.
func fill(stage string, lease int64, found map[string]string) error {
	// The longest path first: an output inside another one's folder is moved
	// before the folder is.
	for _, p := range slices.Backward(slices.Sorted(maps.Keys(found))) {
		to := filepath.Join(stage, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := move(found[p], to); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(stage, leaseMark), fmt.Appendf(nil, "%d\n", lease), 0o644); err != nil {
		return err
	}
	return syncTree(stage)
}

// move renames, and copies where the target is on another file system.
func move(from, to string) error {
	if err := os.Rename(from, to); err == nil {
		return nil
	} else if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return copyOver(from, to)
}

func copyOver(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// leaseOf tells which lease's outputs are in place, 0 for none.
func leaseOf(target string) (int64, error) {
	b, err := os.ReadFile(filepath.Join(target, leaseMark))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the mark of %s: %w", target, err)
	}
	return n, nil
}

// replace puts stage at target. Where something is there, both change places,
// in one step where the system can; then the old one goes.
func replace(stage, target string) error {
	if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(stage, target)
	}
	if err := exchange(stage, target); err == nil {
		return attemptdir.RemoveTree(stage)
	}
	return swap(stage, target)
}

// swap is replace for systems and file systems that cannot exchange: there is a
// moment with nothing in place.
func swap(stage, target string) error {
	old := stage + ".old"
	if err := os.Rename(target, old); err != nil {
		return err
	}
	if err := os.Rename(stage, target); err != nil {
		return errors.Join(err, os.Rename(old, target))
	}
	return attemptdir.RemoveTree(old)
}

// syncTree makes files and folders durable, so that a power failure cannot undo
// what a result has told.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return durable.SyncDir(p)
		case !d.Type().IsRegular():
			return nil
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
