package httpapi

import (
	"context"
	"fmt"
	"slices"

	"candor"
)

// held answers a question about something that ends: at once, or, if the query
// has a wait, once it has ended or the wait is over. Looking again and again is
// late by half of what lies between two looks; this is not, and costs the brain
// nothing while nothing happens.
func held[T any](c *call, read func() (T, error), over func(T) bool, tells func(candor.Event) bool) (T, error) {
	q := c.query()
	wait := q.Wait()
	var none T
	if err := q.Err(); err != nil {
		return none, err
	}
	if wait == 0 {
		return read()
	}
	// What is committed between this and the reading comes as an event.
	seq, err := c.newest()
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(c.ctx(), wait)
	defer cancel()
	for waits := true; ; {
		found, err := read()
		if err != nil || over(found) || !waits {
			return found, err
		}
		seq, waits = c.until(ctx, seq, tells)
	}
}

// newest is the number of the newest event; 0 if there is none.
func (c *call) newest() (int64, error) {
	head, err := c.opts.Store.Events(c.ctx(), candor.EventQuery{Last: 1})
	if err != nil {
		return 0, fmt.Errorf("find the newest event: %w", err)
	}
	if len(head) == 0 {
		return 0, nil
	}
	return head[0].Seq, nil
}

// until waits for an event that tells something, and returns the number up to
// which it has looked; false if none will come, since ctx is over or the brain
// stops.
func (c *call) until(ctx context.Context, after int64, tells func(candor.Event) bool) (int64, bool) {
	for {
		events, floor, err := c.opts.Brain.Events(ctx, after, page)
		switch {
		case err != nil:
			return after, false
		case len(events) == 0: // some were missed
			return floor, true
		}
		after = events[len(events)-1].Seq
		if slices.ContainsFunc(events, tells) {
			return after, true
		}
	}
}
