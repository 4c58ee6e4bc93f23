package llamaserver

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"candor/internal/runtime"
)

// Unload implements runtime.Server. The router would end answers with their
// model, some at once and some after ten seconds, so they are waited for.
func (c *Client) Unload(ctx context.Context, name string) (runtime.Change, error) {
	m, err := c.look(ctx, name)
	if err != nil {
		return runtime.Change{}, err
	}
	before, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	began := c.clk.Now()
	change := runtime.Change{Before: before, After: before}
	switch {
	case m.Status.Value == "":
		return change, runtime.Refuse("unload %s: %s serves this one model for as long as it runs; end the process", name, c.opts.URL)
	case !m.Status.resident():
		return change, nil
	}
	err = c.idle(ctx, m)
	if err == nil {
		err = c.order(ctx, pathUnload, m.ID)
	}
	if err == nil {
		err = c.until(ctx, m.ID, func(m model) bool { return !m.Status.resident() })
	}
	if after, listErr := c.Loaded(context.WithoutCancel(ctx)); listErr == nil {
		change.After = after
	}
	change.Took = c.clk.Now().Sub(began)
	change = change.Diff(m.ID)
	if there, still := runtime.Find(change.After, m.ID); still && ctx.Err() != nil {
		return change, runtime.Held(there, c.pulse.InFlight(m.ID), change.Took)
	}
	return change, err
}

// idle waits until a model answers nobody. A model that does not say is not
// waited for: it hangs, or is still loading.
func (c *Client) idle(ctx context.Context, m model) error {
	began := c.clk.Now()
	for c.pulse.InFlight(m.ID) > 0 || c.serving(ctx, m.ID) {
		if c.clk.Sleep(ctx, c.opts.Poll) != nil {
			return runtime.Held(c.resident(m), c.pulse.InFlight(m.ID), c.clk.Now().Sub(began))
		}
	}
	return ctx.Err()
}

// serving asks a model whether it works for anybody.
func (c *Client) serving(ctx context.Context, id string) bool {
	var slots []struct {
		Busy bool `json:"is_processing"`
	}
	path := pathSlots + "?model=" + url.QueryEscape(id)
	if err := c.wire.Call(ctx, c.opts.CallLimit, http.MethodGet, path, id, nil, &slots); err != nil {
		return false
	}
	return slices.ContainsFunc(slots, func(s struct {
		Busy bool `json:"is_processing"`
	}) bool {
		return s.Busy
	})
}
