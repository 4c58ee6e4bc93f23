package exchange

import (
	"context"
	"errors"
	"sync"
	"time"

	"candor/internal/clock"
)

// errSilent is the cause with which a watchdog ends an exchange.
var errSilent = errors.New("silent for too long")

// Watchdog ends an exchange that has been silent for longer than its limit.
type Watchdog struct {
	ctx    context.Context // ends with the caller's, or with errSilent
	cancel context.CancelCauseFunc
	clk    clock.Clock
	nudge  chan struct{} // the limit has become shorter
	began  time.Time

	mu    sync.Mutex
	heard time.Time     // guarded by mu
	limit time.Duration // guarded by mu
}

// Watch begins a watch; Stop ends it.
func (p Peer) Watch(ctx context.Context, limit time.Duration) *Watchdog {
	now := p.Clock.Now()
	d := &Watchdog{clk: p.Clock, began: now, heard: now, limit: limit, nudge: make(chan struct{}, 1)}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	go d.run()
	return d
}

// Context is the one for the exchange that is watched.
func (d *Watchdog) Context() context.Context { return d.ctx }

// run sleeps until the limit would be reached if nothing were heard, and looks
// again then: a token costs a clock reading, not a timer.
func (d *Watchdog) run() {
	for {
		left := d.left()
		if left <= 0 {
			d.cancel(errSilent)
			return
		}
		select {
		case <-d.clk.After(left):
		case <-d.nudge:
		case <-d.ctx.Done():
			return
		}
	}
}

func (d *Watchdog) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limit - d.clk.Now().Sub(d.heard)
}

// Hear notes a sign of life at now; from here on limit holds.
func (d *Watchdog) Hear(now time.Time, limit time.Duration) {
	d.mu.Lock()
	shorter := limit < d.limit
	d.heard, d.limit = now, limit
	d.mu.Unlock()
	if shorter {
		select {
		case d.nudge <- struct{}{}:
		default:
		}
	}
}

// Elapsed is the time since the watch began.
func (d *Watchdog) Elapsed() time.Duration { return d.clk.Now().Sub(d.began) }

func (d *Watchdog) silence() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clk.Now().Sub(d.heard)
}

// Stop ends the watch and what is left of the exchange.
func (d *Watchdog) Stop() { d.cancel(context.Canceled) }
