package record

import (
	"io"
	"sync"
)

// maxConsole is how many bytes wait for a console that does not take them.
const maxConsole = 1 << 20

// console writes lines from a goroutine of its own: a terminal stopped by
// Ctrl-S, or a parent that does not read its pipe, must not stop the loop that
// logs. Lines beyond maxConsole are dropped, and the next that passes says how
// many.
type console struct {
	w       io.Writer
	confess func(dropped int) []byte // the line that tells of dropped ones

	mu      sync.Mutex
	buf     []byte
	dropped int
	writing bool
	waiting []chan struct{} // closed when all is written
	closed  bool
	wake    chan struct{}
}

func newConsole(w io.Writer, confess func(int) []byte) *console {
	c := &console{w: w, confess: confess, wake: make(chan struct{}, 1)}
	go c.run()
	return c
}

// add takes one line with its newline, or drops it.
func (c *console) add(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if len(c.buf)+len(line) > maxConsole {
		c.dropped++
		return
	}
	c.buf = append(c.buf, line...)
	c.nudge()
}

func (c *console) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// drained returns a channel that closes once everything so far is written.
func (c *console) drained() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := make(chan struct{})
	if len(c.buf) == 0 && !c.writing {
		close(done)
		return done
	}
	c.waiting = append(c.waiting, done)
	return done
}

// close ends the goroutine after what it still has to write.
func (c *console) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.nudge()
}

func (c *console) run() {
	var out []byte
	for {
		var more bool
		if out, more = c.swap(out[:0]); more {
			// A console that is gone (closed pipe) has nobody to tell.
			_, _ = c.w.Write(out)
			continue
		}
		if c.settle() {
			return
		}
		<-c.wake
	}
}

// swap takes what has gathered and leaves the empty buffer in its place.
func (c *console) swap(empty []byte) (out []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = len(c.buf) > 0
	if !c.writing {
		return empty, false
	}
	out, c.buf = c.buf, empty
	if c.dropped > 0 {
		out = append(out, c.confess(c.dropped)...)
		c.dropped = 0
	}
	return out, true
}

// settle tells those who wait that all is written. It reports whether the
// console was closed and nothing is left.
func (c *console) settle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 0 {
		return false
	}
	for _, done := range c.waiting {
		close(done)
	}
	c.waiting = nil
	return c.closed
}
