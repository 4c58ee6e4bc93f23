package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

// The pauses between two looks at something that is waited for.
const (
	pollFirst   = 50 * time.Millisecond
	pollLongest = 500 * time.Millisecond
)

// addTimeout gives a waiting verb its --timeout.
func addTimeout(cmd *cobra.Command) {
	cmd.Flags().Duration("timeout", 0, "stop waiting after this `time` and leave with 124; 0 waits for ever")
}

// withTimeout bounds ctx by the verb's --timeout.
func withTimeout(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	if limit, _ := cmd.Flags().GetDuration("timeout"); limit > 0 {
		return context.WithTimeout(cmd.Context(), limit)
	}
	return context.WithCancel(cmd.Context())
}

// waiting says how to wait for something that a brain knows.
type waiting struct {
	// known: it is there, even if no brain answers at the first look.
	known bool
	// quiet: a brain that goes away and comes back is told by another wait.
	quiet bool
	// away hears at each look without a brain for how long there has been none;
	// its error ends the wait. nil: nobody.
	away func(ctx context.Context, since time.Duration) error
}

// look is a look at what is waited for. It may take its time, and has the pause
// until the next one to wait for the end itself.
type look func(ctx context.Context, hold time.Duration) (done bool, err error)

// poll looks until done says so. A brain that goes away meanwhile is waited
// for: what it has acknowledged is not lost.
func (a *app) poll(ctx context.Context, look look) error {
	return a.pollWith(ctx, waiting{}, look)
}

func (a *app) pollWith(ctx context.Context, how waiting, look look) error {
	away, seen := false, how.known
	var since time.Time // valid while away
	for pause := time.Duration(0); ; pause = min(max(pollFirst, pause*3/2), pollLongest) {
		began := a.clk.Now()
		done, err := look(ctx, pause)
		switch code := candor.CodeOf(err); {
		case err == nil && done:
			return nil
		case err != nil && ctx.Err() != nil:
			return timedOut(ctx)
		case err == nil:
			if away && !how.quiet {
				a.talk("the brain is back")
			}
			away, seen = false, true
		case seen && (code == candor.CodeUnavailable || code == candor.CodeRetry):
			if !away {
				away, since = true, a.clk.Now()
				if !how.quiet {
					a.talk("the brain went away; waiting for it")
				}
			}
			if how.away != nil {
				if err := how.away(ctx, a.clk.Now().Sub(since)); err != nil {
					return err
				}
			}
		default:
			return err
		}
		if err := a.clk.Sleep(ctx, pause-a.clk.Now().Sub(began)); err != nil {
			return timedOut(ctx)
		}
	}
}

// timedOut is the error of a wait that ended before what it waited for.
func timedOut(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &candor.Error{Code: candor.CodeTimeout, Message: "the time given by --timeout ran out", Hint: "what was asked for goes on; candor status shows it"}
	}
	return &candor.Error{Code: candor.CodeInterrupted, Message: "the wait was given up", Cause: context.Cause(ctx)}
}

// awaitBatch waits until every task of a batch is final; each is told every look.
func (a *app) awaitBatch(ctx context.Context, c *client.Client, id candor.BatchID, each func(candor.Batch)) (candor.Batch, error) {
	return a.awaitBatchWith(ctx, c, id, waiting{}, each)
}

func (a *app) awaitBatchWith(ctx context.Context, c *client.Client, id candor.BatchID, how waiting, each func(candor.Batch)) (candor.Batch, error) {
	var last candor.Batch
	err := a.pollWith(ctx, how, func(ctx context.Context, hold time.Duration) (bool, error) {
		b, err := c.AwaitBatch(ctx, id, hold)
		if err != nil {
			return false, err
		}
		last = b
		each(b)
		return b.State == candor.BatchComplete, nil
	})
	return last, err
}

// awaitTask waits until a task is final; each is told every look.
func (a *app) awaitTask(ctx context.Context, c *client.Client, id candor.TaskID, each func(candor.Task)) (candor.Task, error) {
	var last candor.Task
	err := a.poll(ctx, func(ctx context.Context, hold time.Duration) (bool, error) {
		t, err := c.AwaitTask(ctx, id, hold)
		if err != nil {
			return false, err
		}
		last = t
		each(t)
		return t.State.Final(), nil
	})
	return last, err
}
