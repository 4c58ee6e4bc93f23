package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"candor"
	"candor/internal/httpapi/wire"
	"candor/internal/record"
)

// retryAfter is the least pause, in seconds, that a client is asked for.
const retryAfter = "1"

// answer writes a reply. Lists are never null.
func (c *call) answer(reply any) error {
	buf := c.bufs.Get()
	defer c.bufs.Put(buf)
	if err := encode(buf, reply); err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	c.write(c.w, http.StatusOK, buf.Bytes())
	return nil
}

func encode(buf *bytes.Buffer, reply any) error {
	if claim, ok := reply.(candor.ClaimReply); ok {
		b, err := wire.AppendClaimReply(buf.AvailableBuffer(), &claim)
		buf.Write(b)
		return err
	}
	if v := reflect.ValueOf(reply); v.Kind() == reflect.Slice && v.IsNil() {
		buf.WriteString("[]\n")
		return nil
	}
	return json.NewEncoder(buf).Encode(reply)
}

// write sends a JSON body. A client that is gone is its own affair.
func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if len(body) > wire.MaxKept {
		// A small answer fits the socket's buffer; a large one waits for its reader.
		_ = http.NewResponseController(w).SetWriteDeadline(s.clock.Now().Add(bodyTimeout))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuse writes an error. What is no candor.Error is ours: it is logged whole.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := s.asError(r, err)
	h := w.Header()
	switch e.Code {
	case candor.CodeUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="candor"`)
	case candor.CodeRetry, candor.CodeUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	if e.Cause != nil { // the cause is no JSON field: say it in the message
		told := *e
		told.Message = e.Error()
		e = &told
	}
	body, err := json.Marshal(wire.Problem{Error: e})
	if err != nil {
		body, _ = json.Marshal(wire.Problem{Error: candor.Errorf(candor.CodeInternal, "%s", e.Message)})
	}
	s.write(w, wire.Status(e.Code), append(body, '\n'))
}

func (s *Server) asError(r *http.Request, err error) *candor.Error {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &candor.Error{Code: candor.CodeUnavailable, Message: "the brain is stopping, or the caller has left"}
	}
	s.logger.LogAttrs(r.Context(), levelError, fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err),
		codeAttr("http.error"), record.Fold(r.Pattern))
	return &candor.Error{Code: candor.CodeInternal, Message: err.Error(), Hint: "the brain's log has more"}
}
