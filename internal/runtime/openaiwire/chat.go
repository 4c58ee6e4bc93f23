package openaiwire

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

type chatRequest struct {
	Model          string            `json:"model"`
	Messages       []runtime.Message `json:"messages"`
	MaxTokens      int               `json:"max_tokens"`
	Stream         bool              `json:"stream"`
	StreamOptions  streamOptions     `json:"stream_options"`
	ResponseFormat *responseFormat   `json:"response_format,omitempty"`
	Seed           *int64            `json:"seed,omitempty"`
	Temperature    *float64          `json:"temperature,omitempty"`
	TopP           *float64          `json:"top_p,omitempty"`
	Stop           []string          `json:"stop,omitempty"`
	// What follows is not OpenAI's. It is sent only when a request asks for it.
	TopK              *int            `json:"top_k,omitempty"`
	RepeatPenalty     *float64        `json:"repeat_penalty,omitempty"`     // llama.cpp, LM Studio
	RepetitionPenalty *float64        `json:"repetition_penalty,omitempty"` // vLLM, SGLang
	Template          *templateKwargs `json:"chat_template_kwargs,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type   string     `json:"type"`
	Schema jsonSchema `json:"json_schema"`
}

type jsonSchema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

type templateKwargs struct {
	EnableThinking bool `json:"enable_thinking"`
}

// request is r in the API's words.
func (w Wire) request(r runtime.Request) chatRequest {
	body := chatRequest{
		Model: w.name(r.Model), Messages: r.Messages, MaxTokens: r.MaxTokens,
		Stream: true, StreamOptions: streamOptions{IncludeUsage: true},
		Seed: r.Sampling.Seed, Temperature: r.Sampling.Temperature, TopP: r.Sampling.TopP, Stop: r.Sampling.Stop,
		TopK: r.Sampling.TopK, RepeatPenalty: r.Sampling.RepeatPenalty, RepetitionPenalty: r.Sampling.RepeatPenalty,
	}
	if len(r.Schema) > 0 {
		body.ResponseFormat = &responseFormat{Type: "json_schema", Schema: jsonSchema{Name: "answer", Schema: r.Schema, Strict: true}}
	}
	if r.Think != nil {
		body.Template = &templateKwargs{EnableThinking: *r.Think}
	}
	return body
}

// Chat sends a conversation and reads the answer, as runtime.Server.Generate
// does. It checks nothing of the request.
func (w Wire) Chat(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	began := w.Peer.Clock.Now()
	flight := w.Pulse.Begin(w.name(r.Model), began)
	defer flight.End()
	patience := r.Patience.Or(w.Patience)
	dog := w.Peer.Watch(ctx, patience.First)
	defer dog.Stop()
	l := &listener{wire: w, model: r.Model, dog: dog, next: patience.Next, draft: runtime.NewDraft(r, flight, began, tell)}
	err := l.converse(w.request(r))
	a := l.draft.Whole()
	a.Times.Total = w.Peer.Clock.Now().Sub(began)
	return a, tooLong(r.Model, r.Settings.Context, r.Bytes(), err)
}

// converse is one request and its answer.
func (l *listener) converse(body chatRequest) error {
	resp, err := l.wire.Peer.Send(l.dog.Context(), http.MethodPost, pathChat, body)
	if err != nil {
		return l.unanswered(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return l.listen(resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, exchange.MaxReply))
	if err != nil {
		return l.unanswered(err)
	}
	return l.wire.refusal(l.model, exchange.Reply{Response: resp, Text: text})
}
