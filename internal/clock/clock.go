// Package clock is the only door through which candor reads the time or waits.
//
// Everything else receives a Clock, so that time can be an argument: the pure
// core is handed an instant, loops are handed a Clock and are tested inside a
// synctest bubble, where System already runs on virtual time. A linter forbids
// the time package's clock functions elsewhere.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now is the current instant, with its monotonic reading, so that
	// differences survive a step of the wall clock.
	Now() time.Time
	// After fires once when d has passed. d <= 0 fires at once.
	After(d time.Duration) <-chan time.Time
	// AfterFunc calls f in a goroutine of its own when d has passed, unless the
	// returned function is called before: it tells whether it came in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
	// Sleep waits for d or until ctx ends, and then returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

type system struct{}

// System is the machine's clock.
func System() Clock { return system{} }

func (system) Now() time.Time                         { return time.Now() }
func (system) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (system) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

func (system) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
