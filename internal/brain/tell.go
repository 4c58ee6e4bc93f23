package brain

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"candor"
	"candor/internal/record"
)

// tell lets followers have committed events, and hands them to the logging
// goroutine, so that writing lines takes no time from the loop. The channel is
// short: a log that cannot keep up slows the loop down rather than grow.
func (b *Brain) tell(events []candor.Event) {
	kept := events
	if slices.ContainsFunc(events, func(e candor.Event) bool { return e.Seq == 0 }) {
		kept = slices.DeleteFunc(slices.Clone(events), func(e candor.Event) bool { return e.Seq == 0 })
	}
	b.events.add(kept)
	lines := make([]line, len(events))
	for i := range events {
		lines[i].Event = &events[i]
		lines[i].plan, lines[i].name = b.state.Named(events[i].Batch, events[i].Task)
	}
	b.lines <- lines
}

// line is an event with what the log calls its batch and its task. The state
// knows the names, and only the loop may ask it.
type line struct {
	*candor.Event
	plan, name string
}

// linePause is how long lines may gather: rounds that follow each other at once
// share a write, and none of them has to wake the one who writes.
const linePause = 10 * time.Millisecond

// writeLines logs what tell hands over, until the channel closes.
func (b *Brain) writeLines(done chan<- struct{}) {
	defer close(done)
	ctx := context.Background()
	h := b.opts.Log.Handler()
	for lines := range b.lines {
		for _, e := range lines {
			level := levels[e.Level]
			if !h.Enabled(ctx, level) {
				continue
			}
			rec := slog.NewRecord(e.At, level, e.Text, 0)
			addAttrs(&rec, e)
			_ = h.Handle(ctx, rec) // a log that cannot be written must not stop the queue; it counts its own losses
		}
		if b.opts.Flush != nil && len(b.lines) == 0 {
			_ = b.opts.Flush() // as above
			_ = b.opts.Clock.Sleep(ctx, linePause)
		}
	}
}

var levels = map[candor.Level]slog.Level{
	candor.LevelDebug: slog.LevelDebug, candor.LevelInfo: slog.LevelInfo,
	candor.LevelWarn: slog.LevelWarn, candor.LevelError: slog.LevelError,
}

// addAttrs puts an event's operands under the keys that all of candor uses.
func addAttrs(rec *slog.Record, e line) {
	rec.AddAttrs(slog.String(record.KeyCode, string(e.Code)))
	if e.Worker != "" {
		rec.AddAttrs(slog.String(record.KeyWorker, e.Worker))
	}
	if e.plan != "" {
		rec.AddAttrs(slog.String(record.KeyPlan, e.plan))
	}
	if e.Batch != 0 {
		rec.AddAttrs(slog.String(record.KeyBatch, e.Batch.String()))
	}
	if e.Task != 0 {
		rec.AddAttrs(slog.String(record.KeyTask, e.Task.String()))
	}
	if e.name != "" {
		rec.AddAttrs(slog.String(record.KeyName, e.name))
	}
	if e.Class != "" {
		rec.AddAttrs(slog.String(record.KeyClass, string(e.Class)))
	}
	if e.Attempt != 0 {
		rec.AddAttrs(slog.Int(record.KeyAttempt, e.Attempt))
	}
	if e.Lease != 0 {
		rec.AddAttrs(slog.Int64(record.KeyLease, e.Lease))
	}
	if e.Model != "" {
		rec.AddAttrs(slog.String(record.KeyModel, e.Model))
	}
	if e.Reason != "" {
		rec.AddAttrs(slog.String(record.KeyReason, string(e.Reason)))
	}
	if e.Took != 0 {
		rec.AddAttrs(slog.Int64(record.KeyDurationMS, e.Took.D().Milliseconds()))
	}
}

// log keeps the newest events for followers.
type log struct {
	mu    sync.Mutex
	ring  []candor.Event // newest last; guarded by mu
	floor int64          // Seq of the newest event that is not in ring; guarded by mu
	limit int
	fresh chan struct{} // closed and replaced when events come; guarded by mu
}

func newLog(last int64, limit int) *log {
	return &log{floor: last, limit: limit, fresh: make(chan struct{})}
}

func (l *log) add(events []candor.Event) {
	if len(events) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring = append(l.ring, events...)
	if over := len(l.ring) - l.limit; over > 0 {
		l.floor = l.ring[over-1].Seq
		l.ring = l.ring[over:]
	}
	close(l.fresh)
	l.fresh = make(chan struct{})
}

func (l *log) wait(ctx context.Context, stopped <-chan struct{}, after int64, limit int) ([]candor.Event, int64, error) {
	for {
		events, floor, fresh := l.after(after, limit)
		if len(events) > 0 || floor > after {
			return events, floor, nil
		}
		select {
		case <-fresh:
		case <-stopped:
			return nil, floor, errStopped()
		case <-ctx.Done():
			return nil, floor, context.Cause(ctx)
		}
	}
}

// after returns what is here beyond seq; none if some of it no longer is.
func (l *log) after(seq int64, limit int) ([]candor.Event, int64, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < l.floor {
		return nil, l.floor, l.fresh
	}
	i, _ := slices.BinarySearchFunc(l.ring, seq+1, func(e candor.Event, want int64) int { return int(e.Seq - want) })
	events := l.ring[i:]
	if limit > 0 && len(events) > limit {
		events = events[:limit]
	}
	return events, l.floor, l.fresh
}

// commitTimes keeps the usual duration of a commit: the median of the last ones.
type commitTimes struct {
	last [64]time.Duration
	n    int
}

// usual is the median of the last ones.
func (c *commitTimes) usual() time.Duration {
	filled := min(c.n, len(c.last))
	if filled == 0 {
		return 0
	}
	sorted := slices.Clone(c.last[:filled])
	slices.Sort(sorted)
	return sorted[(filled-1)/2]
}

func (c *commitTimes) add(d time.Duration) {
	c.last[c.n%len(c.last)] = d
	c.n++
}
