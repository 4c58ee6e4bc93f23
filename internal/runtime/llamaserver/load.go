package llamaserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"candor/internal/runtime"
)

// wakeWord is what a model is made to answer, in one token.
const wakeWord = "Hello"

type orderRequest struct {
	Model string `json:"model"`
}

// Load implements runtime.Server.
func (c *Client) Load(ctx context.Context, r runtime.LoadRequest) (runtime.Change, error) {
	if r.Settings.Context <= 0 {
		return runtime.Change{}, runtime.Refuse("load %s: no context length is given", r.Model)
	}
	m, err := c.known(ctx, r.Model)
	if err != nil {
		return runtime.Change{}, err
	}
	if err := c.acceptable(ctx, m, r); err != nil {
		return runtime.Change{}, err
	}
	before, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	began := c.clk.Now()
	report(r, runtime.Progress{Phase: runtime.PhaseAsked})
	bringErr := c.bring(ctx, m, r)

	// The state afterwards is told even when the time is up: what had to make
	// room is gone.
	change := runtime.Change{Before: before, Took: c.clk.Now().Sub(began)}
	change.After, err = c.Loaded(context.WithoutCancel(ctx))
	if err != nil {
		return change, errors.Join(bringErr, err)
	}
	change = change.Diff(m.ID)
	if bringErr == nil {
		return change, c.accept(r, m.ID, change)
	}
	if expired := errors.Is(context.Cause(ctx), context.DeadlineExceeded); expired && (runtime.CodeOf(bringErr) == runtime.CodeHung || runtime.CodeOf(bringErr) == "") {
		bringErr = runtime.StillLoading(r.Model, change.Took, context.DeadlineExceeded)
	}
	return change, bringErr
}

// known finds the model of an order: in the list, among files that have come
// since, or in a server of one model once that has loaded it.
func (c *Client) known(ctx context.Context, name string) (m model, err error) {
	began := c.clk.Now()
	take := func(now model) bool {
		m = now
		return true
	}
	err = c.until(ctx, name, take)
	if runtime.CodeOf(err) == runtime.CodeMissing && c.opts.Managed != nil {
		if _, err = c.models(ctx, true); err == nil {
			err = c.until(ctx, name, take)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = runtime.StillLoading(name, c.clk.Now().Sub(began), context.DeadlineExceeded)
	}
	return m, err
}

// acceptable asks the guards that need no load. The router would lower a
// context in silence; a load that cannot succeed evicts nothing.
func (c *Client) acceptable(ctx context.Context, m model, r runtime.LoadRequest) error {
	digest, err := c.identify(ctx, m)
	if err != nil {
		return err
	}
	if err := runtime.SameContent(r.Model, r.Digest, digest); err != nil {
		return err
	}
	if trained := max(m.Trained, m.Meta.Trained); trained > 0 && r.Settings.Context > trained {
		return &runtime.Error{
			Code: runtime.CodeContextShort, Text: fmt.Sprintf("model %s was made for contexts of up to %d tokens, not %d", r.Model, trained, r.Settings.Context),
			Detail: map[string]any{runtime.DetailModel: r.Model, runtime.DetailActual: trained, runtime.DetailWanted: r.Settings.Context},
		}
	}
	return nil
}

// accept asks the guards of a load.
func (c *Client) accept(r runtime.LoadRequest, id string, change runtime.Change) error {
	there, ok := runtime.Find(change.After, id)
	if !ok {
		return runtime.Vanished(r.Model)
	}
	if err := runtime.WholeContext(there, r.Settings.Context); err != nil {
		return err
	}
	// An attached server does not say where its models lie; who attached it
	// answers for that.
	if _, _, known := c.sizes(id); r.OnGPU && known {
		if err := runtime.OnGPU(there); err != nil {
			return err
		}
	}
	report(r, runtime.Progress{Phase: runtime.PhaseReady, Elapsed: change.Took, Resident: there})
	return nil
}

// bring makes a model produce a token. A model that turns out to be dead, which
// the router may not have noticed, is loaded once more.
func (c *Client) bring(ctx context.Context, m model, r runtime.LoadRequest) error {
	if c.opts.Managed != nil {
		if err := c.settle(ctx, m.ID, r); err != nil {
			return err
		}
	}
	for again := false; ; again = true {
		started, err := c.start(ctx, m.ID, r)
		if err == nil {
			err = c.wake(ctx, m, r)
		}
		if ctx.Err() != nil && started {
			c.undo(ctx, m.ID)
		}
		if again || started || runtime.CodeOf(err) != runtime.CodeRunnerGone {
			return err
		}
		if err := c.until(ctx, m.ID, func(m model) bool { return !m.Status.resident() }); err != nil {
			return err
		}
	}
}

// start orders a model that is not in memory, and returns once it is.
func (c *Client) start(ctx context.Context, id string, r runtime.LoadRequest) (started bool, err error) {
	began := c.clk.Now()
	m, err := c.look(ctx, id)
	if err != nil {
		return false, err
	}
	if !m.Status.resident() {
		c.forget(id)
		if err := c.order(ctx, pathLoad, id); err != nil {
			return false, err
		}
		started = true
	}
	err = c.until(ctx, id, func(now model) bool {
		m = now
		return m.Status.Value != statusLoading
	})
	switch {
	case err != nil:
		return started, err
	case !m.Status.resident():
		return started, c.failure(m)
	}
	if started {
		c.learn(id)
	}
	report(r, runtime.Progress{Phase: runtime.PhaseListed, Elapsed: c.clk.Now().Sub(began), Resident: c.resident(m)})
	return started, nil
}

// order sends a load or an unload. That there is nothing to do is no failure.
func (c *Client) order(ctx context.Context, path, id string) error {
	var reply struct {
		Success bool `json:"success"`
	}
	err := c.wire.Call(ctx, c.opts.CallLimit, http.MethodPost, path, id, orderRequest{id}, &reply)
	if e, ok := errors.AsType[*runtime.Error](err); ok {
		said, _ := e.Detail[runtime.DetailSaid].(string)
		if strings.Contains(said, "already running") || strings.Contains(said, "is not running") {
			return nil
		}
	}
	return err
}

// undo takes back a load that nobody waits for any more.
func (c *Client) undo(ctx context.Context, id string) {
	_ = c.order(context.WithoutCancel(ctx), pathUnload, id) // who left cannot be told
}

// until reads a model's entry until it shows something.
func (c *Client) until(ctx context.Context, id string, shows func(model) bool) error {
	for {
		m, err := c.look(ctx, id)
		if err != nil && runtime.CodeOf(err) != runtime.CodeLoading {
			return err
		}
		if err == nil && shows(m) {
			return nil
		}
		if c.clk.Sleep(ctx, c.opts.Poll) != nil {
			return context.Cause(ctx)
		}
	}
}

// wake makes a model produce a token, or a vector where that is its use.
func (c *Client) wake(ctx context.Context, m model, r runtime.LoadRequest) error {
	id := m.ID
	if _, ok := c.vectors(id, c.file(m)); ok {
		_, err := c.wire.Embed(ctx, runtime.EmbedRequest{Model: id, Settings: r.Settings, Texts: []string{wakeWord}})
		return err
	}
	_, err := c.wire.Chat(ctx, runtime.Request{
		Model: id, Settings: r.Settings, MaxTokens: 1,
		Messages: []runtime.Message{{Role: "user", Text: wakeWord}},
	}, nil)
	return err
}

func report(r runtime.LoadRequest, p runtime.Progress) {
	if r.Progress != nil {
		r.Progress(p)
	}
}
