package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The ring is a directory of segments, ring-00000001.jsonl and on, of which
// only the last grows. A new segment makes room for itself first.
const (
	segmentPattern = "ring-%08d.jsonl"
	segmentGlob    = "ring-*.jsonl"
	segmentCount   = 8 // at least; more after restarts
	minRingBytes   = segmentCount * maxLine
	ringSpool      = maxLine / 2 // gathered bytes; with one more line still below a segment
)

type segment struct {
	path string
	seq  int
	size int64
}

// ring is the growing end. Not safe for concurrent use.
type ring struct {
	dir   string
	limit int64     // of one segment
	bound int64     // of all
	old   []segment // oldest first
	now   segment
	file  *os.File
}

// openRing continues the ring in dir, whatever state a killed process left it
// in. bound below minRingBytes is raised to it.
func openRing(dir string, bound int64) (*ring, error) {
	bound = max(bound, minRingBytes)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	old, err := segments(dir)
	if err != nil {
		return nil, err
	}
	r := &ring{dir: dir, bound: bound, limit: bound / segmentCount, now: segment{seq: 1}}
	if n := len(old); n > 0 {
		r.old, r.now = old[:n-1], old[n-1]
	}
	return r, r.open()
}

// open makes room for the segment r.now and opens it for appending. Room comes
// first: on a full disk it is what lets the rest succeed.
func (r *ring) open() error {
	if err := r.makeRoom(); err != nil {
		return err
	}
	r.now.path = filepath.Join(r.dir, fmt.Sprintf(segmentPattern, r.now.seq))
	f, size, err := openAppend(r.now.path)
	if err != nil {
		return err
	}
	r.file, r.now.size = f, size
	return nil
}

// makeRoom removes the oldest segments until r.now can grow to its limit.
func (r *ring) makeRoom() error {
	sum := max(r.limit, r.now.size)
	for _, s := range r.old {
		sum += s.size
	}
	for ; len(r.old) > 0 && sum > r.bound; r.old = r.old[1:] {
		if err := os.Remove(r.old[0].path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum -= r.old[0].size
	}
	return nil
}

// Write appends whole lines with one write(2).
func (r *ring) Write(p []byte) (int, error) {
	if r.now.size > 0 && r.now.size+int64(len(p)) > r.limit {
		if err := r.roll(); err != nil {
			return 0, err
		}
	}
	n, err := r.file.Write(p)
	r.now.size += int64(n)
	return n, err
}

// roll begins the next segment. When it cannot, the write that asked for it
// fails and the next one tries again.
func (r *ring) roll() error {
	full, file := r.now, r.file
	r.old, r.now = append(r.old, full), segment{seq: full.seq + 1}
	if err := r.open(); err != nil {
		if n := len(r.old); n > 0 {
			r.old = r.old[:n-1]
		}
		r.now = full
		return err
	}
	return file.Close()
}

// Close closes the growing segment.
func (r *ring) Close() error { return r.file.Close() }

// openAppend opens path for appending whole lines. A line torn by a kill or a
// power cut is ended first, so that it spoils no other.
func openAppend(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, 0, err
	}
	size, err := endTornLine(f)
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

func endTornLine(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return 0, err
	}
	if last[0] == '\n' {
		return info.Size(), nil
	}
	n, err := f.Write([]byte{'\n'})
	return info.Size() + int64(n), err
}

// segments lists the ring's files, oldest first. Other files are left alone.
func segments(dir string) ([]segment, error) {
	paths, err := filepath.Glob(filepath.Join(dir, segmentGlob))
	if err != nil {
		return nil, err
	}
	var list []segment
	for _, path := range paths {
		s := segment{path: path}
		if n, err := fmt.Sscanf(filepath.Base(path), segmentPattern, &s.seq); n != 1 || err != nil {
			continue
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the ring's owner rolled in between
		}
		if err != nil {
			return nil, err
		}
		s.size = info.Size()
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b segment) int { return a.seq - b.seq })
	return list, nil
}
