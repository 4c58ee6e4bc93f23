package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// Generate implements runtime.Server.
func (c *Client) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	if err := r.Check(); err != nil {
		return runtime.Answer{}, err
	}
	began := c.clk.Now()
	a, err := c.converse(ctx, r, tell)
	a.Times.Total = c.clk.Now().Sub(began)
	if err != nil {
		return a, err
	}
	a.Digest = c.digestOf(ctx, r.Model)
	return a, runtime.SameContent(r.Model, r.Digest, a.Digest)
}

// converse sends a conversation and reads the answer.
func (c *Client) converse(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	patience := r.Patience.Or(c.opts.Patience)
	dog := c.peer.Watch(ctx, patience.First)
	defer dog.Stop()
	began := c.clk.Now()
	flight := c.pulse.Begin(canonical(r.Model), began)
	defer flight.End()
	l := &listener{client: c, request: r, dog: dog, next: patience.Next, draft: runtime.NewDraft(r, flight, began, tell)}

	resp, err := c.peer.Send(dog.Context(), http.MethodPost, pathChat, chat(r))
	if err != nil {
		return l.draft.Whole(), l.unanswered(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, exchange.MaxReply))
		if err != nil {
			return l.draft.Whole(), l.unanswered(err)
		}
		return l.draft.Whole(), c.about(r, c.refusal(pathChat, r.Model, resp, text))
	}
	err = l.listen(resp)
	return l.draft.Whole(), err
}

func chat(r runtime.Request) chatRequest {
	o := settings(r.Settings)
	o.NumPredict = r.MaxTokens
	o.Seed, o.Temperature, o.TopP, o.TopK = r.Sampling.Seed, r.Sampling.Temperature, r.Sampling.TopP, r.Sampling.TopK
	o.RepeatPenalty, o.Stop = r.Sampling.RepeatPenalty, r.Sampling.Stop
	return chatRequest{
		Model: r.Model, Messages: r.Messages, Format: r.Schema, Options: o, Think: r.Think,
		KeepAlive: forever, Stream: true,
	}
}

// about adds the request's numbers to a refusal that lacks them.
func (c *Client) about(r runtime.Request, err error) error {
	if runtime.CodeOf(err) == runtime.CodeTruncated {
		return runtime.Truncated(r.Model, 0, r.Settings.Context, r.Bytes())
	}
	return err
}

// listener reads one streamed answer.
type listener struct {
	client  *Client
	request runtime.Request
	dog     *exchange.Watchdog
	next    time.Duration // patience between tokens
	draft   *runtime.Draft
}

func (l *listener) unanswered(err error) error {
	return l.client.peer.Unanswered(l.dog, l.request.Model, l.draft.Answer.Tokens, err)
}

// listen reads lines until one says done. The end of the stream before that is
// a failure, and so is an error inside it: the status was sent long before.
func (l *listener) listen(resp *http.Response) error {
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := exchange.ReadLine(lines)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return l.draft.CutOff()
		case err != nil && !errors.Is(err, io.EOF):
			return l.unanswered(err)
		}
		var reply chatReply
		if err := json.Unmarshal(line, &reply); err != nil {
			return l.client.stranger(pathChat, resp, err)
		}
		if reply.Error != "" {
			return l.client.about(l.request, l.client.said(l.request.Model, resp.StatusCode, reply.Error))
		}
		if err := l.take(reply); err != nil {
			return err
		}
		if reply.Done {
			return nil
		}
	}
}

// take adds a line to the answer.
func (l *listener) take(reply chatReply) error {
	now := l.client.clk.Now()
	l.dog.Hear(now, l.next)
	if reply.Done {
		l.finish(reply)
		l.draft.Finish(now)
		return nil
	}
	return l.draft.Piece(now, runtime.Chunk{Text: reply.Message.Content, Thinking: reply.Message.Thinking})
}

func (l *listener) finish(reply chatReply) {
	a := &l.draft.Answer
	switch reply.DoneReason {
	case "stop":
		a.End = runtime.EndStop
	case "length":
		a.End = runtime.EndLength
	}
	a.PromptTokens, a.Tokens = reply.PromptEvalCount, reply.EvalCount
	a.Times.Load = time.Duration(reply.LoadDuration)
	a.Times.Prompt = time.Duration(reply.PromptEvalDuration)
	a.Times.Generate = time.Duration(reply.EvalDuration)
}
