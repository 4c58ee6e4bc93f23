package llamaserver

import (
	"context"

	"candor/internal/runtime"
)

// Generate implements runtime.Server.
func (c *Client) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	if err := r.Check(); err != nil {
		return runtime.Answer{}, err
	}
	digest, err := c.ready(ctx, r.Model, r.Digest, r.Settings)
	if err != nil {
		return runtime.Answer{Model: r.Model}, err
	}
	a, err := c.wire.Chat(ctx, r, tell)
	a.Digest = digest
	return a, err
}

// Embed implements runtime.Server. A model makes vectors when it was loaded for
// that; the server says so of the others.
func (c *Client) Embed(ctx context.Context, r runtime.EmbedRequest) (runtime.Embedding, error) {
	if err := r.Check(); err != nil {
		return runtime.Embedding{}, err
	}
	digest, err := c.ready(ctx, r.Model, r.Digest, r.Settings)
	if err != nil {
		return runtime.Embedding{Model: r.Model}, err
	}
	e, err := c.wire.Embed(ctx, r)
	e.Digest = digest
	return e, err
}

// ready asks the guards of a request before it is sent: a server of one model
// answers to every name, and what a model was loaded with cannot be changed by
// a request.
func (c *Client) ready(ctx context.Context, name, digest string, s runtime.Settings) (string, error) {
	m, err := c.find(ctx, name)
	if err != nil {
		return "", err
	}
	actual := c.digest(m)
	if err := runtime.SameContent(name, digest, actual); err != nil {
		return actual, err
	}
	if m.Meta.Context > 0 && m.Status.resident() {
		return actual, runtime.WholeContext(c.resident(m), s.Context)
	}
	return actual, nil
}

// Pull implements runtime.Server.
func (c *Client) Pull(_ context.Context, model string, _ func(runtime.Pulled)) error {
	return runtime.Refuse("pull %s: %s is started offline and fetches nothing; put the model's GGUF file into its folder", model, c.opts.URL)
}

// Health implements runtime.Server.
func (c *Client) Health(ctx context.Context) runtime.Health {
	began := c.clk.Now()
	loaded, err := c.Loaded(ctx)
	now := c.clk.Now()
	for _, r := range loaded {
		c.trim(r.Model)
	}
	h := runtime.Health{
		At:      now,
		Answers: runtime.Answers{OK: err == nil, Took: now.Sub(began), Err: err, Loaded: loaded},
		Ready:   c.pulse.Ready(),
		Slots:   runtime.Slots{Busy: c.pulse.InFlight("")},
	}
	if c.opts.Managed != nil {
		h.Slots.Total = c.opts.Managed.Parallel
	}
	return h
}
