package client

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"candor"
	"candor/internal/httpapi/wire"
)

const (
	// streamSilence is how long a stream may be without a byte; the server sends
	// a sign of life more than three times as often.
	streamSilence = 35 * time.Second

	firstRetry = 200 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// Follow delivers each event that matches q, oldest first, once, until ctx ends
// or fn returns an error; both are returned as they are. q.After =
// candor.FromNow leaves out what was. A brain that cannot be reached at first
// is an error; one that goes away later is waited for (see
// Options.Reconnected), and the stream goes on where it broke off. A refusal
// (wrong token, bad query) ends it at any time.
//
// DEBUG events have no number and are in no stream; a log has them.
func (c *Client) Follow(ctx context.Context, q candor.EventQuery, fn func(candor.Event) error) error {
	f := follower{client: c, query: q, fn: fn, last: -1}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstRetry, lastRetry
	for tries := 0; ; {
		heard, err := f.stream(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case f.stopped != nil:
			return f.stopped
		case !f.connected || !passes(err):
			return err
		}
		if heard {
			tries = 0
			wait.Reset()
		}
		tries++
		pause := wait.NextBackOff()
		c.opts.Reconnected(Reconnect{Cause: err, After: max(f.last, 0), Wait: pause, Tries: tries})
		if err := c.opts.Clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// passes tells whether trying again may help.
func passes(err error) bool {
	switch candor.CodeOf(err) {
	case candor.CodeUnavailable, candor.CodeRetry, candor.CodeStoreBusy, candor.CodeTimeout, candor.CodeLocked, candor.CodeInternal:
		return true
	default:
		return false
	}
}

// follower is one Follow across its streams.
type follower struct {
	client    *Client
	query     candor.EventQuery
	fn        func(candor.Event) error
	last      int64 // seq up to which everything was delivered or did not match; -1: unknown
	connected bool  // some stream has been answered
	stopped   error // what fn returned
}

// stream reads one stream to its end. heard: something came.
func (f *follower) stream(ctx context.Context) (heard bool, _ error) {
	c := f.client
	req := request{op: wire.OpEvents, query: wire.EventValues(f.query), accept: wire.EventStream}
	if f.last >= 0 {
		req.lastEvent = strconv.FormatInt(f.last, 10)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := c.open(ctx, req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	f.connected = true
	alive := make(chan struct{}, 1)
	done := make(chan struct{})
	defer func() { cancel(nil); <-done }()
	go func() { defer close(done); c.watch(ctx, alive, cancel) }()
	err = readEvents(noticing{resp.Body, alive}, func(e frame) error {
		heard = true
		return f.take(e)
	})
	if errors.Is(err, io.EOF) {
		err = &candor.Error{Code: candor.CodeUnavailable, Message: "the brain at " + c.where + " ended the stream"}
	}
	return heard, err
}

// take delivers one event, unless it was delivered before.
func (f *follower) take(e frame) error {
	if e.event != nil && e.event.Seq > f.last {
		if f.stopped = f.fn(*e.event); f.stopped != nil {
			return f.stopped
		}
	}
	f.last = max(f.last, e.id)
	return nil
}

// watch ends a stream that has gone silent: its peer may be gone without a word.
func (c *Client) watch(ctx context.Context, alive <-chan struct{}, cancel context.CancelCauseFunc) {
	for {
		select {
		case <-alive:
		case <-ctx.Done():
			return
		case <-c.opts.Clock.After(c.silence):
			cancel(errSilent)
			return
		}
	}
}

// noticing tells of each read.
type noticing struct {
	io.Reader
	alive chan<- struct{}
}

func (n noticing) Read(p []byte) (int, error) {
	k, err := n.Reader.Read(p)
	select {
	case n.alive <- struct{}{}:
	default:
	}
	return k, err
}
