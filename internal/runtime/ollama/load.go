package ollama

import (
	"context"
	"errors"

	"candor/internal/runtime"
)

// Load implements runtime.Server: one request both loads the model and makes it
// produce a token.
func (c *Client) Load(ctx context.Context, r runtime.LoadRequest) (runtime.Change, error) {
	if r.Settings.Context <= 0 {
		return runtime.Change{}, runtime.Refuse("load %s: no context length is given", r.Model)
	}
	if _, err := c.find(ctx, r.Model, r.Digest); err != nil {
		return runtime.Change{}, err
	}
	before, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	began := c.clk.Now()
	change := runtime.Change{Before: before}
	answered := make(chan struct{})
	var wakeErr error
	go func() {
		defer close(answered)
		change.LoadTook, wakeErr = c.wake(ctx, r)
	}()
	c.follow(ctx, r, before, answered)

	// The state afterwards is told even when the time is up: a load that
	// failed may have pushed out everything else.
	after, err := c.Loaded(context.WithoutCancel(ctx))
	change.After, change.Took = after, c.clk.Now().Sub(began)
	if err != nil { // what was evicted is not known
		return change, errors.Join(wakeErr, err)
	}
	change = change.Diff(canonical(r.Model))
	if wakeErr == nil {
		return change, c.accept(r, change)
	}
	if expired := errors.Is(context.Cause(ctx), context.DeadlineExceeded); expired && runtime.CodeOf(wakeErr) == runtime.CodeHung {
		wakeErr = runtime.StillLoading(r.Model, change.Took, context.DeadlineExceeded)
	}
	return change, wakeErr
}

// accept asks the guards of a load.
func (c *Client) accept(r runtime.LoadRequest, change runtime.Change) error {
	there, ok := runtime.Find(change.After, canonical(r.Model))
	if !ok {
		return runtime.Vanished(r.Model)
	}
	if err := runtime.SameContent(r.Model, r.Digest, there.Digest); err != nil {
		return err
	}
	if err := runtime.WholeContext(there, r.Settings.Context); err != nil {
		return err
	}
	if r.OnGPU {
		if err := runtime.OnGPU(there); err != nil {
			return err
		}
	}
	c.report(r, runtime.Progress{Phase: runtime.PhaseReady, Elapsed: change.Took, Resident: there})
	return nil
}
