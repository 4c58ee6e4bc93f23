package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
)

const (
	// heartbeat is how often a stream without events gives a sign of life.
	heartbeat = 10 * time.Second
	// page is how many events are taken at a time.
	page = 1000
)

// events lists events, or streams them to who accepts an event stream.
func (c *call) events() error {
	q := c.query()
	query := q.Events()
	if err := q.Err(); err != nil {
		return err
	}
	if strings.Contains(c.r.Header.Get("Accept"), wire.EventStream) {
		return c.follow(query)
	}
	query.After = max(query.After, 0)
	events, err := c.opts.Store.Events(c.ctx(), query)
	if err != nil {
		return fmt.Errorf("list events: %w", err)
	}
	return c.answer(events)
}

// follow streams events from where the follower stands.
func (c *call) follow(q candor.EventQuery) error {
	first, after, err := c.start(q)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", wire.EventStream)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	s := &stream{call: c, query: q, after: after, conn: http.NewResponseController(c.w)}
	if err := s.send(first); err != nil {
		return nil // the follower left
	}
	if err := s.mark(max(after, s.after)); err != nil { // the head goes out even when nothing has happened yet
		return nil
	}
	s.run()
	return nil
}

// start finds where a follower stands: where it says it was, or at the newest
// few, or at what it asked for.
func (c *call) start(q candor.EventQuery) (first []candor.Event, after int64, err error) {
	if last := c.r.Header.Get(wire.HeaderLastEvent); last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return nil, 0, candor.Errorf(candor.CodeInvalid, "%s is %q, not the seq of an event", wire.HeaderLastEvent, last)
		}
		return nil, n, nil
	}
	if q.After >= 0 && q.Last == 0 {
		return nil, q.After, nil
	}
	// The head is read first: what is committed in between comes with the stream.
	if after, err = c.newest(); err != nil {
		return nil, 0, err
	}
	if q.Last == 0 {
		return nil, after, nil
	}
	q.After = max(q.After, 0)
	if first, err = c.opts.Store.Events(c.ctx(), q); err != nil {
		return nil, 0, fmt.Errorf("list events: %w", err)
	}
	first = slices.DeleteFunc(first, func(e candor.Event) bool { return e.Seq > after })
	return first, after, nil
}

// stream is one follower. It pulls; nobody waits for it.
type stream struct {
	*call
	query candor.EventQuery
	after int64     // everything up to here was sent, or did not match
	wrote time.Time // when the follower last heard anything
	conn  *http.ResponseController
	buf   []byte
}

// run streams until the follower leaves, reads too slowly, or the server stops.
func (s *stream) run() {
	for s.ctx().Err() == nil {
		if err := s.step(); err != nil {
			return
		}
	}
}

// step sends what has come, or a sign of life.
func (s *stream) step() error {
	ctx, cancel := context.WithTimeout(s.ctx(), heartbeat)
	defer cancel()
	events, floor, err := s.opts.Brain.Events(ctx, s.after, page)
	switch {
	case err != nil && (s.ctx().Err() != nil || !errors.Is(err, context.DeadlineExceeded)):
		return err
	case err != nil:
		return s.mark(s.after)
	case len(events) == 0 && floor > s.after:
		return s.catchUp(floor)
	}
	if err := s.send(s.matching(events)); err != nil {
		return err
	}
	if n := len(events); n > 0 {
		s.after = events[n-1].Seq
	}
	// Events that do not match must not leave the follower without a sign of life.
	if s.clock.Now().Sub(s.wrote) >= heartbeat {
		return s.mark(s.after)
	}
	return nil
}

// catchUp sends what the brain has forgotten, from the store.
func (s *stream) catchUp(floor int64) error {
	q := s.query
	q.Last, q.Limit, q.After = 0, page, s.after
	for {
		events, err := s.opts.Store.Events(s.ctx(), q)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		more := len(events) == page
		events = slices.DeleteFunc(events, func(e candor.Event) bool { return e.Seq > floor })
		if err := s.send(events); err != nil {
			return err
		}
		if !more || len(events) < page {
			s.after = floor
			return s.mark(floor)
		}
		q.After = events[len(events)-1].Seq
		s.after = q.After
	}
}

// matching keeps the events that the follower asked for, as the store would.
func (s *stream) matching(events []candor.Event) []candor.Event {
	var out []candor.Event
	for i := range events {
		if matches(&s.query, &events[i]) {
			out = append(out, events[i])
		}
	}
	return out
}

func matches(q *candor.EventQuery, e *candor.Event) bool {
	return (q.Batch == 0 || q.Batch == e.Batch) && (q.Task == 0 || q.Task == e.Task) &&
		(q.Worker == "" || q.Worker == e.Worker) &&
		(q.Level == "" || slices.Index(wire.Levels(), e.Level) >= slices.Index(wire.Levels(), q.Level))
}

// send writes events, each with its seq as id. A follower that takes nothing
// for writeTimeout is cut off; it comes back with the last id it has seen.
func (s *stream) send(events []candor.Event) error {
	s.buf = s.buf[:0]
	for i := range events {
		line, err := json.Marshal(&events[i])
		if err != nil {
			return fmt.Errorf("encode event %d: %w", events[i].Seq, err)
		}
		s.buf = append(s.buf, "id: "...)
		s.buf = strconv.AppendInt(s.buf, events[i].Seq, 10)
		s.buf = append(s.buf, "\ndata: "...)
		s.buf = append(s.buf, line...)
		s.buf = append(s.buf, "\n\n"...)
	}
	return s.flush()
}

// mark tells where the stream is without an event: a sign of life that also
// moves the id a follower comes back with.
func (s *stream) mark(after int64) error {
	s.buf = append(s.buf[:0], ": here\nid: "...)
	s.buf = strconv.AppendInt(s.buf, min(after, math.MaxInt64-1), 10)
	s.buf = append(s.buf, "\n\n"...)
	return s.flush()
}

func (s *stream) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	s.wrote = s.clock.Now()
	_ = s.conn.SetWriteDeadline(s.wrote.Add(writeTimeout))
	if _, err := s.w.Write(s.buf); err != nil {
		return err
	}
	return s.conn.Flush()
}
