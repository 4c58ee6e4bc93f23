package openaiwire

import (
	"context"
	"net/http"

	"candor/internal/runtime"
)

type embedRequest struct {
	Model string   `json:"model"`
	Input []string `json:"input"`
}

type embedReply struct {
	Data []struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	} `json:"data"`
	Usage struct {
		Prompt int `json:"prompt_tokens"`
	} `json:"usage"`
}

// Embed turns texts into vectors, as runtime.Server does. It checks nothing of
// the request.
func (w Wire) Embed(ctx context.Context, r runtime.EmbedRequest) (runtime.Embedding, error) {
	began := w.Peer.Clock.Now()
	flight := w.Pulse.Begin(w.name(r.Model), began)
	defer flight.End()
	var reply embedReply
	err := w.Call(ctx, r.Patience.Or(w.Patience).First, http.MethodPost, pathEmbed, r.Model, embedRequest{Model: w.name(r.Model), Input: r.Texts}, &reply)
	e := runtime.Embedding{Model: r.Model, PromptTokens: reply.Usage.Prompt}
	e.Took = w.Peer.Clock.Now().Sub(began)
	if err != nil {
		return e, tooLong(r.Model, r.Settings.Context, r.Longest(), err)
	}
	flight.Token(w.Peer.Clock.Now())
	e.Vectors = make([][]float32, len(reply.Data))
	for i, d := range reply.Data {
		if d.Index < 0 || d.Index >= len(e.Vectors) {
			d.Index = i // Whole finds what is missing
		}
		e.Vectors[d.Index] = d.Embedding
	}
	return e, e.Whole(len(r.Texts))
}
