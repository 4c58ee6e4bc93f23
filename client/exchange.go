package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
)

// exchange is the transport of claims, which follow each other at once. The
// ordinary one hands a request to one goroutine and takes its answer from
// another, and where processors fall asleep while the brain commits, waking them
// costs more than all else that the two sides do: 0.2 ms of a claim that takes
// 1.2 (docs/adr/0014-claims-without-handing-over.md). Here the caller itself
// writes its request and reads the answer.
//
// It speaks plain HTTP/1.1 to one address: no TLS, no proxy, no Expect.
type exchange struct {
	// immutable
	dial  func(context.Context) (net.Conn, error)
	clock clock.Clock

	mu   sync.Mutex
	idle []*line // the last used is the last; guarded by mu
}

// newExchange speaks to the address, name or name:port, over the connections
// that t would make.
func newExchange(t *http.Transport, address string, c clock.Clock) *exchange {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "80")
	}
	return &exchange{clock: c, dial: func(ctx context.Context) (net.Conn, error) { return t.DialContext(ctx, "tcp", address) }}
}

// line is a connection that one exchange at a time uses.
type line struct {
	net.Conn
	limit *io.LimitedReader // of what r may take from Conn for this answer
	r     *bufio.Reader
	w     *bufio.Writer
	used  bool      // has carried an exchange
	idle  time.Time // since when
}

const (
	// lineBuffer takes a claim of some hundred tasks, or its answer, in one piece.
	lineBuffer = 32 << 10
	// maxClaim is the longest claim that goes this way. Of a request that it
	// refuses unread, net/http's server takes 256 KiB before it closes the line; of
	// a longer one the refusal would be lost behind a broken pipe.
	maxClaim = 128 << 10
	// maxHead bounds an answer's head, which another program may never end.
	maxHead = 1 << 20
)

// longAgo is a deadline that ends what a connection waits for.
var longAgo = time.Unix(1, 0)

// RoundTrip makes one exchange. Ending the request's context ends it.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		l, err := x.line(r.Context())
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(r.Context(), func() { _ = l.SetDeadline(longAgo) })
		written, err := l.write(r)
		var resp *http.Response
		if err == nil {
			resp, err = l.read(r)
		}
		if err == nil {
			resp.Body = &lineBody{ReadCloser: resp.Body, exchange: x, line: l, stop: stop, last: resp.Close}
			return resp, nil
		}
		stop()
		_ = l.Close()
		// A brain that has ended since has closed the line, and has not seen what
		// could not be written whole.
		if written || !l.used || r.Context().Err() != nil {
			return nil, err
		}
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
}

// line is an idle connection or a new one.
func (x *exchange) line(ctx context.Context) (*line, error) {
	if l := x.take(); l != nil {
		return l, nil
	}
	conn, err := x.dial(ctx)
	if err != nil {
		return nil, err
	}
	limit := &io.LimitedReader{R: conn}
	return &line{Conn: conn, limit: limit, r: bufio.NewReaderSize(limit, lineBuffer), w: bufio.NewWriterSize(conn, lineBuffer)}, nil
}

func (x *exchange) take() *line {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.retire()
	if len(x.idle) == 0 {
		return nil
	}
	l := x.idle[len(x.idle)-1]
	x.idle = x.idle[:len(x.idle)-1]
	return l
}

func (x *exchange) keep(l *line) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l.used, l.idle = true, x.clock.Now()
	x.idle = append(x.idle, l)
	x.retire()
}

// retire closes what has been idle for long: the brain closes it too. The caller
// holds mu.
func (x *exchange) retire() {
	limit := x.clock.Now().Add(-idleTimeout)
	n := 0
	for n < len(x.idle) && (x.idle[n].idle.Before(limit) || len(x.idle)-n > maxIdle) {
		_ = x.idle[n].Close()
		n++
	}
	x.idle = slices.Delete(x.idle, 0, n)
}

// CloseIdleConnections is what http.Client asks of a transport.
func (x *exchange) CloseIdleConnections() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.idle {
		_ = l.Close()
	}
	x.idle = nil
}

// write sends a request and tells whether all of it may have arrived.
func (l *line) write(r *http.Request) (all bool, err error) {
	if err := r.Write(l.w); err != nil {
		return false, err
	}
	err = l.w.Flush()
	return err == nil, err
}

// read takes an answer's head.
func (l *line) read(r *http.Request) (*http.Response, error) {
	l.limit.N = maxHead
	resp, err := http.ReadResponse(l.r, r)
	l.limit.N = maxReply // what the call takes of the body it bounds itself
	return resp, err
}

// lineBody is an answer's body, whose end frees the line.
type lineBody struct {
	io.ReadCloser
	exchange *exchange
	line     *line
	stop     func() bool // tells whether the context has left the line alone
	last     bool        // the brain wants no other request on this line
	once     sync.Once
}

// Close reads what is left, so that the next answer begins where this one ends.
func (b *lineBody) Close() (err error) {
	b.once.Do(func() {
		err = b.ReadCloser.Close()
		if b.stop() && err == nil && !b.last && b.line.r.Buffered() == 0 {
			b.exchange.keep(b.line)
			return
		}
		_ = b.line.Close()
	})
	return err
}
