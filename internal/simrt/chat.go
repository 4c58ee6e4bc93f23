package simrt

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// wireOptions are the options that the simulation knows; others are ignored,
// as Ollama does.
type wireOptions struct {
	NumCtx     int    `json:"num_ctx"`
	NumPredict int    `json:"num_predict"`
	NumGPU     *int   `json:"num_gpu"`
	NumThread  int    `json:"num_thread"`
	Seed       *int64 `json:"seed"`
}

// wireRequest is a request to /api/generate or /api/chat.
type wireRequest struct {
	Model    string `json:"model"`
	Prompt   string `json:"prompt"`
	System   string `json:"system"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Format    json.RawMessage `json:"format"`
	Options   wireOptions     `json:"options"`
	KeepAlive any             `json:"keep_alive"`
	Truncate  *bool           `json:"truncate"`
	Shift     *bool           `json:"shift"`
	Stream    *bool           `json:"stream"`

	chat bool // from /api/chat: the reply has the form of a message
}

// texts are what the model is to read.
func (r wireRequest) texts() []string {
	var all []string
	for _, t := range []string{r.System, r.Prompt} {
		if t != "" {
			all = append(all, t)
		}
	}
	for _, m := range r.Messages {
		all = append(all, m.Content)
	}
	return all
}

func (o wireOptions) settings(m Model) settings {
	want := settings{context: min(orElse(o.NumCtx, DefaultContext), m.Context), layers: -1, threads: o.NumThread}
	if o.NumGPU != nil {
		want.layers = *o.NumGPU
	}
	return want
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request) { s.converse(w, r, false) }

func (s *Server) chat(w http.ResponseWriter, r *http.Request) { s.converse(w, r, true) }

// converse is one request for an answer, for a load, or for an unload.
func (s *Server) converse(w http.ResponseWriter, r *http.Request, chat bool) {
	req := wireRequest{chat: chat}
	if err := body(r, &req); err != nil {
		s.fail(w, err)
		return
	}
	m, err := s.model(req.Model)
	if err != nil {
		s.fail(w, err)
		return
	}
	keep, err := keepAlive(req.KeepAlive)
	if err != nil {
		s.fail(w, err)
		return
	}
	empty := len(req.texts()) == 0
	if empty && keep == 0 && req.KeepAlive != nil {
		s.dismiss(m.Name) // answered at once, whatever is still running
		reply(w, http.StatusOK, req.last(s.clk.Now(), "unload"))
		return
	}
	if err := s.answer(r.Context(), w, req, m, keep, empty); err != nil {
		s.fail(w, err)
	}
}

// answer serves a request with a runner. An error means that nothing was
// written yet.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, req wireRequest, m Model, keep time.Duration, empty bool) error {
	if m.EmbedsOnly {
		return refuse(http.StatusBadRequest, "%q does not support chat", req.Model)
	}
	if err := s.turnedAway(m); err != nil {
		return err
	}
	began := s.clk.Now()
	run, err := s.acquire(ctx, m, req.Options.settings(m), keep)
	if err != nil {
		return err
	}
	defer func() { s.release(run, keep) }()
	loaded := s.clk.Now().Sub(began)
	if empty {
		last := req.last(s.clk.Now(), "load")
		last.LoadDuration = int64(loaded)
		reply(w, http.StatusOK, last)
		return nil
	}
	script, err := s.write(req, m, run)
	if err != nil {
		return err
	}
	return s.play(ctx, w, req, run, script, loaded)
}

// turnedAway refuses a request of either kind, if that is ordered.
func (s *Server) turnedAway(m Model) error {
	if _, ordered := s.strike(Error, m.Name); ordered {
		return refuse(http.StatusInternalServerError, "an internal error was ordered")
	}
	if _, ordered := s.strike(Busy, m.Name); ordered {
		return refuse(http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded")
	}
	return nil
}

// wireReply is one line of an answer; see Ollama's API.
type wireReply struct {
	Model     string    `json:"model"`
	CreatedAt time.Time `json:"created_at"`
	Response  *string   `json:"response,omitempty"`
	Message   *struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"message,omitempty"`
	Done               bool   `json:"done"`
	DoneReason         string `json:"done_reason,omitempty"`
	TotalDuration      int64  `json:"total_duration,omitempty"`
	LoadDuration       int64  `json:"load_duration,omitempty"`
	PromptEvalCount    int    `json:"prompt_eval_count,omitempty"`
	PromptEvalDuration int64  `json:"prompt_eval_duration,omitempty"`
	EvalCount          int    `json:"eval_count,omitempty"`
	EvalDuration       int64  `json:"eval_duration,omitempty"`
}

// line is a piece of the answer in the form that was asked for.
func (r wireRequest) line(now time.Time, text string) wireReply {
	l := wireReply{Model: r.Model, CreatedAt: now}
	if r.chat {
		l.Message = &struct {
			Role    string `json:"role"`
			Content string `json:"content"`
		}{"assistant", text}
	} else {
		l.Response = &text
	}
	return l
}

func (r wireRequest) last(now time.Time, reason string) wireReply {
	l := r.line(now, "")
	l.Done, l.DoneReason = true, reason
	return l
}
