package openaiwire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// usage is the server's own count.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
}

// chunk is one event of a streamed answer. The last holds the usage, and no
// choice; one without either may be an error.
type chunk struct {
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Content   string `json:"content"`
			Reasoning string `json:"reasoning"`         // vLLM, Ollama
			Thinking  string `json:"reasoning_content"` // llama-server, SGLang
		} `json:"delta"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
	// Timings are llama-server's, in milliseconds.
	Timings *struct {
		Prompt   float64 `json:"prompt_ms"`
		Generate float64 `json:"predicted_ms"`
	} `json:"timings"`
}

// listener reads one streamed answer.
type listener struct {
	wire  Wire
	model string
	dog   *exchange.Watchdog
	next  time.Duration // patience between tokens
	draft *runtime.Draft
	// finish is the reason that the server gave for the end; empty: none yet.
	finish string
	usage  usage
	timed  bool // the server measured where the time went
}

func (l *listener) unanswered(err error) error {
	return l.wire.Peer.Unanswered(l.dog, l.model, l.draft.Answer.Tokens, err)
}

// listen reads events until one says [DONE]. The end of the stream before that
// is a failure, and so is an error inside it: the status was sent long before.
func (l *listener) listen(resp *http.Response) error {
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := exchange.ReadLine(lines)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return l.cut()
		case err != nil && !errors.Is(err, io.EOF):
			return l.unanswered(err)
		}
		done, err := l.line(resp, line)
		if done || err != nil {
			return err
		}
	}
}

// line reads one line of the stream: an event's data, or what stands instead.
func (l *listener) line(resp *http.Response, line []byte) (done bool, err error) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch string(name) {
	case "data":
		if string(value) == "[DONE]" {
			return true, l.done()
		}
		return false, l.event(value)
	case "", "event", "id", "retry": // a comment, or what an event is called
		return false, nil
	case "error": // older llama-server
		line = value
	}
	f, ok := parse(line)
	if !ok {
		f.Message, ok = bare(line)
	}
	switch {
	case ok:
		f.Status = resp.StatusCode
		return false, l.wire.said(l.model, f)
	case exchange.IsJSON(resp):
		return false, runtime.Garbled(l.wire.Peer.URL, fmt.Errorf("a line is no event: %.100q", line))
	}
	return false, l.wire.stranger(exchange.Reply{Response: resp})
}

func (l *listener) event(data []byte) error {
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return runtime.Garbled(l.wire.Peer.URL, err)
	}
	if len(c.Choices) == 0 && c.Usage == nil {
		if f, ok := parse(data); ok {
			f.Status = http.StatusOK
			return l.wire.said(l.model, f)
		}
	}
	now := l.wire.Peer.Clock.Now()
	if c.Usage != nil {
		l.usage = *c.Usage
	}
	if c.Timings != nil {
		l.timed = true
		l.draft.Answer.Times.Prompt = milliseconds(c.Timings.Prompt)
		l.draft.Answer.Times.Generate = milliseconds(c.Timings.Generate)
	}
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		piece := runtime.Chunk{Text: choice.Delta.Content, Thinking: choice.Delta.Thinking + choice.Delta.Reasoning}
		if piece != (runtime.Chunk{}) || choice.Finish != "" {
			l.dog.Hear(now, l.next)
		}
		if err := l.draft.Piece(now, piece); err != nil {
			return err
		}
		if choice.Finish != "" {
			l.finish = choice.Finish
			l.draft.Finish(now)
		}
	}
	return nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// done reads the reason for the answer's end once all of it is there.
func (l *listener) done() error {
	a := &l.draft.Answer
	if !l.timed {
		a.Times.Generate = l.draft.Writing()
	}
	a.PromptTokens = l.usage.Prompt
	if l.usage.Completion > 0 { // else the pieces that came are all that is known
		a.Tokens = l.usage.Completion
	}
	switch l.finish {
	case "stop", "tool_calls", "function_call", "eos":
		a.End = runtime.EndStop
	case "length", "max_tokens":
		a.End = runtime.EndLength
	case "content_filter":
		return l.wire.said(l.model, fault{Message: "the answer was ended by the server's content filter", Code: "content_filter", Status: http.StatusOK})
	case "":
		return l.draft.CutOff()
	default:
		e := runtime.Incomplete(l.model, a.Tokens)
		e.Detail[runtime.DetailSaid] = l.finish
		e.Text += ": it gives " + l.finish + " as the reason"
		return e
	}
	return nil
}

// cut says why a stream ended without [DONE].
func (l *listener) cut() error {
	if l.finish != "" {
		return runtime.Incomplete(l.model, l.draft.Answer.Tokens)
	}
	return l.draft.CutOff()
}
