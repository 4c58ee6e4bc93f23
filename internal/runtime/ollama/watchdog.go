package ollama

import (
	"context"
	"sync"
	"time"

	"candor/internal/clock"
)

// watchdog ends an exchange that has been silent for longer than its limit.
type watchdog struct {
	ctx    context.Context // ends with the caller's, or with errSilent
	cancel context.CancelCauseFunc
	clk    clock.Clock
	nudge  chan struct{} // the limit has become shorter

	mu    sync.Mutex
	heard time.Time     // guarded by mu
	limit time.Duration // guarded by mu
}

func (c *Client) watch(ctx context.Context, limit time.Duration) *watchdog {
	d := &watchdog{clk: c.clk, heard: c.clk.Now(), limit: limit, nudge: make(chan struct{}, 1)}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	go d.run()
	return d
}

// run sleeps until the limit would be reached if nothing were heard, and looks
// again then: a token costs a clock reading, not a timer.
func (d *watchdog) run() {
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

func (d *watchdog) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limit - d.clk.Now().Sub(d.heard)
}

// hear notes a sign of life at now; from here on limit holds.
func (d *watchdog) hear(now time.Time, limit time.Duration) {
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

func (d *watchdog) silence() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clk.Now().Sub(d.heard)
}

// stop ends the watch and what is left of the exchange.
func (d *watchdog) stop() { d.cancel(context.Canceled) }
