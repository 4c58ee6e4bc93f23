package ollama

import (
	"context"
	"errors"
	"time"

	"candor/internal/runtime"
)

// wakeWord is what a model is made to answer, in one token.
const wakeWord = "Hello"

// wake makes a model produce a token, or a vector where it has no tokens, and
// returns how long Ollama says that loading it took.
func (c *Client) wake(ctx context.Context, r runtime.LoadRequest) (time.Duration, error) {
	if c.embedsOnly(ctx, r.Model) {
		_, err := c.Embed(ctx, runtime.EmbedRequest{Model: r.Model, Settings: r.Settings, Texts: []string{wakeWord}})
		return 0, err
	}
	a, err := c.converse(ctx, runtime.Request{
		Model: r.Model, Settings: r.Settings, MaxTokens: 1,
		Messages: []runtime.Message{{Role: "user", Text: wakeWord}},
	}, nil)
	if e, ok := errors.AsType[*runtime.Error](err); ok && e.Code == runtime.CodeRefused {
		// A model that is said to have neither text nor vectors: Ollama says so
		// of one whose file is gone or holds nothing.
		broken := *e
		broken.Code = runtime.CodeBroken
		err = &broken
	}
	return a.Times.Load, err
}

// follow tells of a load's steps until it has ended: Ollama has no word of
// progress but that a model appears in its list, with the size it will take.
func (c *Client) follow(ctx context.Context, r runtime.LoadRequest, before []runtime.Resident, answered <-chan struct{}) {
	began := c.clk.Now()
	c.report(r, runtime.Progress{Phase: runtime.PhaseAsked})
	_, listed := runtime.Find(before, canonical(r.Model))
	for {
		select {
		case <-answered:
			return
		case <-c.clk.After(c.opts.Poll):
		}
		if listed || r.Progress == nil {
			continue
		}
		if all, err := c.Loaded(ctx); err == nil {
			var there runtime.Resident
			if there, listed = runtime.Find(all, canonical(r.Model)); listed {
				c.report(r, runtime.Progress{Phase: runtime.PhaseListed, Elapsed: c.clk.Now().Sub(began), Resident: there})
			}
		}
	}
}

func (c *Client) report(r runtime.LoadRequest, p runtime.Progress) {
	if r.Progress != nil {
		r.Progress(p)
	}
}
