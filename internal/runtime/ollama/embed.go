package ollama

import (
	"context"
	"net/http"

	"candor/internal/runtime"
)

// Embed implements runtime.Server. Ollama counts the tokens of all texts
// together, so a text that is too long shows only in its own refusal.
func (c *Client) Embed(ctx context.Context, r runtime.EmbedRequest) (runtime.Embedding, error) {
	if err := r.Check(); err != nil {
		return runtime.Embedding{}, err
	}
	began := c.clk.Now()
	flight := c.pulse.Begin(canonical(r.Model), began)
	defer flight.End()
	var reply embedReply
	err := c.call(ctx, r.Patience.Or(c.opts.Patience).First, http.MethodPost, pathEmbed, r.Model, embedRequest{
		Model: r.Model, Input: r.Texts, Options: settings(r.Settings), KeepAlive: forever,
	}, &reply)
	e := runtime.Embedding{Model: r.Model, Vectors: reply.Embeddings, PromptTokens: reply.PromptEvalCount}
	e.Took = c.clk.Now().Sub(began)
	if runtime.CodeOf(err) == runtime.CodeTruncated {
		return e, runtime.Truncated(r.Model, 0, r.Settings.Context, r.Longest())
	}
	if err != nil {
		return e, err
	}
	flight.Token(c.clk.Now())
	if err := e.Whole(len(r.Texts)); err != nil {
		return e, err
	}
	e.Digest = c.digestOf(ctx, r.Model)
	return e, runtime.SameContent(r.Model, r.Digest, e.Digest)
}
