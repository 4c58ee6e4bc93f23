package openai

import (
	"context"
	"errors"
	"time"

	"candor/internal/runtime"
)

// wakeWord is what a model is made to answer, in one token.
const wakeWord = "Hello"

// again is the pause before a dead model is asked for once more.
const again = 100 * time.Millisecond

// Load implements runtime.Server: one token, which makes the server load the
// model if it has not.
func (c *Client) Load(ctx context.Context, r runtime.LoadRequest) (runtime.Change, error) {
	if r.Settings.Context <= 0 {
		return runtime.Change{}, runtime.Refuse("load %s: no context length is given", r.Model)
	}
	if _, err := c.find(ctx, r.Model); err != nil {
		return runtime.Change{}, err
	}
	before, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	began := c.clk.Now()
	report(r, runtime.Progress{Phase: runtime.PhaseAsked})
	wakeErr := c.revive(ctx, r)
	change := runtime.Change{Before: before, Took: c.clk.Now().Sub(began)}
	change.After, err = c.Loaded(context.WithoutCancel(ctx))
	if err != nil {
		return change, errors.Join(wakeErr, err)
	}
	name := c.nameOf(r.Model)
	change = change.Diff(name)
	if expired := errors.Is(context.Cause(ctx), context.DeadlineExceeded); expired && runtime.CodeOf(wakeErr) == runtime.CodeHung {
		wakeErr = runtime.StillLoading(r.Model, change.Took, context.DeadlineExceeded)
	}
	if wakeErr != nil {
		return change, wakeErr
	}
	there, ok := runtime.Find(change.After, name)
	if !ok {
		return change, runtime.Vanished(r.Model)
	}
	if err := c.holds(there, r.Settings.Context); err != nil {
		return change, err
	}
	report(r, runtime.Progress{Phase: runtime.PhaseReady, Elapsed: change.Took, Resident: there})
	return change, nil
}

// holds guards the context. That the model is on a GPU is the server's affair:
// none of them says.
func (c *Client) holds(there runtime.Resident, wanted int) error {
	if there.Context > 0 {
		return runtime.WholeContext(there, wanted)
	}
	return &runtime.Error{
		Code: runtime.CodeContextShort,
		Text: c.opts.URL + " does not say how long a conversation with " + there.Model + " may be, and nobody has said it for it, so a prompt that it cut could not be noticed",
		Detail: map[string]any{
			runtime.DetailServer: c.opts.URL, runtime.DetailModel: there.Model, runtime.DetailActual: 0, runtime.DetailWanted: wanted,
		},
	}
}

// revive wakes a model. One whose process is dead comes back with a request,
// but not before the server has noticed.
func (c *Client) revive(ctx context.Context, r runtime.LoadRequest) error {
	began := c.clk.Now()
	for {
		err := c.wake(ctx, r)
		if runtime.CodeOf(err) != runtime.CodeRunnerGone || c.clk.Now().Sub(began) > c.opts.CallLimit {
			return err
		}
		if c.clk.Sleep(ctx, again) != nil {
			return err
		}
	}
}

// wake makes the model produce a token, or a vector where it has no text.
func (c *Client) wake(ctx context.Context, r runtime.LoadRequest) error {
	_, err := c.Generate(ctx, runtime.Request{
		Model: r.Model, Settings: r.Settings, MaxTokens: 1,
		Messages: []runtime.Message{{Role: "user", Text: wakeWord}},
	}, nil)
	if runtime.CodeOf(err) != runtime.CodeRefused {
		return err
	}
	if _, asVector := c.Embed(ctx, runtime.EmbedRequest{Model: r.Model, Settings: r.Settings, Texts: []string{wakeWord}}); asVector == nil {
		return nil
	}
	return err
}

func report(r runtime.LoadRequest, p runtime.Progress) {
	if r.Progress != nil {
		r.Progress(p)
	}
}

// Unload implements runtime.Server.
func (c *Client) Unload(ctx context.Context, model string) (runtime.Change, error) {
	if _, err := c.find(ctx, model); err != nil {
		return runtime.Change{}, err
	}
	loaded, err := c.Loaded(ctx)
	if err != nil {
		return runtime.Change{}, err
	}
	change := runtime.Change{Before: loaded, After: loaded}
	return change, runtime.Refuse("unload %s: %s decides by itself what it keeps loaded, and its API has no way to tell it", model, c.opts.URL)
}
