package ollama

import (
	"context"

	"candor/internal/runtime"
)

// Unload implements runtime.Server. Ollama says "unload" at once, whatever is
// still running; only its list tells when the model has really left.
func (c *Client) Unload(ctx context.Context, model string) (runtime.Change, error) {
	name := canonical(model)
	before, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	began := c.clk.Now()
	change := runtime.Change{Before: before, After: before}
	var done chatReply
	if err := c.post(ctx, pathGenerate, model, unloadRequest{Model: model}, &done); err != nil && ctx.Err() == nil {
		return change, err
	}
	for {
		after, err := c.Loaded(ctx)
		if err == nil {
			change.After = after
		}
		change.Took = c.clk.Now().Sub(began)
		there, still := runtime.Find(change.After, name)
		switch {
		case ctx.Err() != nil && still:
			return change.Diff(name), runtime.Held(there, c.pulse.InFlight(name), change.Took)
		case err != nil:
			return change.Diff(name), err
		case !still:
			return change.Diff(name), nil
		}
		_ = c.clk.Sleep(ctx, c.opts.Poll) // ctx is looked at above
	}
}
