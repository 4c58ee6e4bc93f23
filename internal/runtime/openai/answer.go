package openai

import (
	"context"

	"candor/internal/runtime"
)

// Generate implements runtime.Server.
func (c *Client) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	if err := r.Check(); err != nil {
		return runtime.Answer{}, err
	}
	if _, err := c.find(ctx, r.Model); err != nil {
		return runtime.Answer{Model: r.Model}, err
	}
	a, err := c.wire.Chat(ctx, r, tell)
	c.note(r.Model, a.Tokens > 0, err)
	return a, err
}

// Embed implements runtime.Server.
func (c *Client) Embed(ctx context.Context, r runtime.EmbedRequest) (runtime.Embedding, error) {
	if err := r.Check(); err != nil {
		return runtime.Embedding{}, err
	}
	if _, err := c.find(ctx, r.Model); err != nil {
		return runtime.Embedding{Model: r.Model}, err
	}
	e, err := c.wire.Embed(ctx, r)
	c.note(r.Model, err == nil, err)
	return e, err
}

// note keeps what an answer says about its model being in memory.
func (c *Client) note(model string, produced bool, err error) {
	switch runtime.CodeOf(err) {
	case runtime.CodeRunnerGone, runtime.CodeGone, runtime.CodeLoading, runtime.CodeMissing:
		c.silent(model)
		return
	}
	if produced {
		c.heard(model)
	}
}

// Pull implements runtime.Server.
func (c *Client) Pull(_ context.Context, model string, _ func(runtime.Pulled)) error {
	return runtime.Refuse("pull %s: %s fetches no models for others; add it where that server is run", model, c.opts.URL)
}

// Health implements runtime.Server.
func (c *Client) Health(ctx context.Context) runtime.Health {
	began := c.clk.Now()
	loaded, err := c.Loaded(ctx)
	now := c.clk.Now()
	return runtime.Health{
		At:      now,
		Answers: runtime.Answers{OK: err == nil, Took: now.Sub(began), Err: err, Loaded: loaded},
		Ready:   c.pulse.Ready(),
		Slots:   runtime.Slots{Busy: c.pulse.InFlight(""), Total: c.opts.Slots},
	}
}
