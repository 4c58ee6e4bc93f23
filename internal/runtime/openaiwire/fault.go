package openaiwire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// fault is a server's refusal, by whatever way it came.
type fault struct {
	Message string
	Type    string
	Code    string
	// PromptTokens and Context are llama-server's count of a prompt that does
	// not fit.
	PromptTokens int
	Context      int
	Status       int
	// Retry is how long the server asks to wait; 0: it does not say.
	Retry time.Duration
}

// parse finds the refusal in a JSON body. Servers disagree on where it stands:
// {"error":{"message":...}}, {"error":"..."}, {"message":...}, {"detail":...}.
func parse(body []byte) (fault, bool) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Object  string          `json:"object"`
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    any             `json:"code"`
		Detail  any             `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return fault{}, false
	}
	var said string
	if json.Unmarshal(outer.Error, &said) == nil && said != "" {
		return fault{Message: said}, true
	}
	var inner struct {
		Message      string `json:"message"`
		Type         string `json:"type"`
		Code         any    `json:"code"`
		PromptTokens int    `json:"n_prompt_tokens"`
		Context      int    `json:"n_ctx"`
	}
	if json.Unmarshal(outer.Error, &inner) == nil && inner.Message != "" {
		return fault{Message: inner.Message, Type: inner.Type, Code: text(inner.Code), PromptTokens: inner.PromptTokens, Context: inner.Context}, true
	}
	switch {
	case outer.Message != "" && (outer.Object == "error" || outer.Object == ""):
		return fault{Message: outer.Message, Type: outer.Type, Code: text(outer.Code)}, true
	case outer.Detail != nil:
		return fault{Message: text(outer.Detail)}, true
	}
	return fault{}, false
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// refusal makes an error of a reply that is not 200.
func (w Wire) refusal(model string, reply exchange.Reply) error {
	f, ok := parse(reply.Text)
	if !ok {
		f.Message, ok = bare(bytes.TrimSpace(reply.Text))
	}
	if !ok {
		if !gateway(reply.StatusCode) {
			return w.stranger(reply)
		}
		f.Message = http.StatusText(reply.StatusCode)
	}
	f.Status = reply.StatusCode
	f.Retry = retry(reply.Header.Get("Retry-After"), reply.Header.Get("Date"))
	return w.said(model, f)
}

// gateway says whether a status has its meaning whatever stands in the body,
// since what is in front of a server may have written it.
func gateway(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retry reads Retry-After: seconds, or a date, which is compared with the
// server's own.
func retry(after, date string) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(after)); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	then, err := http.ParseTime(after)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(date)
	if err != nil {
		return 0
	}
	return max(0, then.Sub(now))
}

// said makes an error of a refusal.
func (w Wire) said(model string, f fault) error {
	if w.Hide != nil {
		if secret := w.Hide(); secret != "" {
			f.Message = strings.ReplaceAll(f.Message, secret, "(the key)")
		}
	}
	code := meaning(f)
	var e *runtime.Error
	switch {
	case code == runtime.CodeMissing:
		e = runtime.Missing(w.Peer.URL, model)
	case code == runtime.CodeRunnerGone && strings.Contains(strings.ToLower(f.Message), notLoaded):
		e = runtime.NotThere(w.Peer.URL, model)
	default:
		e = runtime.Said(code, model, f.Status, f.Message)
	}
	e.Detail[runtime.DetailSaid] = f.Message
	if f.Retry > 0 {
		e.Detail[runtime.DetailRetry] = f.Retry
	}
	if f.PromptTokens > 0 {
		e.Detail[runtime.DetailActual], e.Detail[runtime.DetailWanted] = f.PromptTokens, f.Context
	}
	return e
}

// tooLong puts the request's numbers into a refusal that is about its length.
func tooLong(model string, context, sent int, err error) error {
	e, ok := asError(err)
	if !ok || e.Code != runtime.CodeTruncated {
		return err
	}
	if read, ok := e.Detail[runtime.DetailActual].(int); ok {
		if holds, ok := e.Detail[runtime.DetailWanted].(int); ok && holds > 0 {
			context = holds
		}
		return runtime.TooLong(model, read, context, sent)
	}
	t := runtime.Truncated(model, 0, context, sent)
	t.Detail[runtime.DetailSaid] = e.Detail[runtime.DetailSaid]
	return t
}
