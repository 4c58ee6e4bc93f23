package ollama

import (
	"context"

	"candor/internal/runtime"
)

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
