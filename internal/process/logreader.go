package process

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// LogReader reads a log from its beginning, while it is being written or
// after. One goroutine at a time.
type LogReader struct {
	path string
	head *os.File
	ring *os.File // nil while the head is read
	off  int64    // in the output; while the head is read, also in its file
	last byte     // delivered before off
	gap  string   // marker still to be delivered
}

// OpenLog opens the log at path.
func OpenLog(path string) (*LogReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open output log: %w", err)
	}
	return &LogReader{path: path, head: f}, nil
}

// Read returns what is there; io.EOF means nothing more for now, and a later
// Read may return more. Where the reader was overtaken, or the log was
// truncated, one marker line stands for the gap.
func (r *LogReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if r.ring == nil {
		n, err := r.readHead(b)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := r.switchToRing(); err != nil {
			return 0, err
		}
		if r.ring == nil { // joined in between, perhaps: then the rest is in the head
			return r.readHead(b)
		}
	}
	return r.readRing(b)
}

// Close closes the reader.
func (r *LogReader) Close() error {
	if r.ring != nil {
		r.ring.Close()
	}
	return r.head.Close()
}

func (r *LogReader) readHead(b []byte) (int, error) {
	n, err := r.head.ReadAt(b, r.off)
	if n > 0 {
		return r.deliver(b, n), nil
	}
	return 0, err
}

func (r *LogReader) deliver(b []byte, n int) int {
	r.off += int64(n)
	r.last = b[n-1]
	return n
}

// switchToRing goes over to the ring if the head is full and not yet joined. A
// reader that is past the first half has begun to read the joined file.
func (r *LogReader) switchToRing() error {
	f, err := os.Open(ringPath(r.path))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open output ring: %w", err)
	}
	s, err := readRing(f)
	if err != nil || r.off != s.half {
		f.Close()
		return nil // just being created, or being joined
	}
	r.ring = f
	return nil
}

func (r *LogReader) readRing(b []byte) (int, error) {
	for {
		if r.gap != "" {
			n := copy(b, r.gap)
			r.gap = r.gap[n:]
			return n, nil
		}
		s, err := readRing(r.ring)
		if err != nil {
			return 0, err
		}
		if s.oldest() > r.off {
			r.gap = marker(s.total, r.last == '\n')
			r.off = s.oldest()
			continue
		}
		n, err := s.span(r.ring, b, r.off)
		if err != nil {
			return 0, err
		}
		now, err := readRing(r.ring)
		if err != nil {
			return 0, err
		}
		if now.oldest() > r.off { // overwritten while we read
			continue
		}
		return r.deliver(b, n), nil
	}
}
