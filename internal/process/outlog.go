package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// outlog keeps a job's output: all of it counted, its end in memory, and on
// disk its first half as it is and its last half in a ring beside it.
//
//	first half ──full──▶ first half + ring (path.tail) ──close──▶ joined
//	            └──────────────── close, nothing to join ──────────▶
//
// write never fails and never waits for more than the disk: a job must not
// notice a full one. After an error the disk is left alone, so that the log has
// an end instead of a hole.
type outlog struct {
	clk  Clock
	path string // empty: memory only
	half int64

	mu      sync.Mutex
	head    *os.File
	ring    *ring // nil until the head is full
	tail    tail
	written int64
	onDisk  int64
	last    time.Time
	err     error
}

func createLog(clk Clock, spec Spec) (*outlog, error) {
	l := &outlog{clk: clk, path: spec.Log, half: max(spec.LogLimit/2, 1), tail: tail{limit: spec.TailLimit}}
	if spec.Log == "" {
		return l, nil
	}
	if err := os.Remove(ringPath(spec.Log)); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("create output log: %w", err)
	}
	f, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create output log: %w", err)
	}
	l.head = f
	return l, nil
}

func (l *outlog) write(b []byte) {
	if len(b) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written += int64(len(b))
	l.last = l.clk.Now()
	l.tail.write(b)
	if l.head == nil || l.err != nil {
		return
	}
	l.err = l.store(b)
}

func (l *outlog) store(b []byte) error {
	if room := l.half - l.onDisk; room > 0 {
		n, err := l.head.Write(b[:min(room, int64(len(b)))])
		l.onDisk += int64(n)
		if err != nil {
			return fmt.Errorf("write output log: %w", err)
		}
		b = b[n:]
	}
	if len(b) == 0 {
		return nil
	}
	if l.ring == nil {
		r, err := createRing(ringPath(l.path), l.half)
		if err != nil {
			return err
		}
		l.ring = r
	}
	l.onDisk += int64(len(b))
	return l.ring.write(b)
}

// fail notes why the log is incomplete; the first reason stays.
func (l *outlog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *outlog) output() Output {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := Output{Written: l.written, Last: l.last, Truncated: l.written > 2*l.half}
	if l.path == "" {
		o.Truncated = l.written > int64(l.tail.limit)
	}
	if l.err != nil {
		o.LogErr = l.err.Error()
	}
	return o
}

func (l *outlog) tailText() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.text()
}

// close joins the halves. A failure is kept for output().
func (l *outlog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == nil {
		return
	}
	if l.ring != nil {
		err := l.ring.finish()
		if err == nil {
			err = join(l.head, l.ring)
		}
		if err == nil {
			err = os.Remove(ringPath(l.path))
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // who took us for dead has joined it before
		}
		if l.err == nil {
			l.err = err
		}
		l.ring.f.Close()
	}
	if err := l.head.Close(); err != nil && l.err == nil {
		l.err = fmt.Errorf("close output log: %w", err)
	}
	l.head = nil
}

// abandon drops the log of a process that never started.
func (l *outlog) abandon() {
	if l.head != nil {
		l.head.Close()
		_ = os.Remove(l.path)
	}
}
