package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
)

// errSilent is why a call's context ends when the server said nothing in time.
var errSilent = errors.New("no answer in time")

// fault translates what the transport reports. Whoever called may have given
// up; otherwise nobody answered, or answered too late.
func (c *Client) fault(ctx context.Context, limit time.Duration, err error) error {
	if own, ok := errors.AsType[*candor.Error](err); ok {
		return own
	}
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return c.unreachable(err)
	case errors.Is(cause, errSilent):
		return &candor.Error{Code: candor.CodeUnavailable,
			Message: fmt.Sprintf("the brain at %s has not answered for %s", c.where, candor.ShortDuration(limit)),
			Hint:    "it may be stopped or stuck: candor doctor", Cause: cause}
	case errors.Is(cause, context.DeadlineExceeded):
		return &candor.Error{Code: candor.CodeTimeout, Message: "the time given for the call to " + c.where + " ran out", Cause: cause}
	default:
		return &candor.Error{Code: candor.CodeInterrupted, Message: "the call to " + c.where + " was given up", Cause: cause}
	}
}

func (c *Client) unreachable(err error) error {
	// Its text is the request's URL, which over a socket is made up.
	if wrap, ok := errors.AsType[*url.Error](err); ok {
		err = wrap.Err
	}
	op, ofConn := errors.AsType[*net.OpError](err)
	if ofConn && op.Op != "dial" || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &candor.Error{Code: candor.CodeUnavailable, Message: "the brain at " + c.where + " closed the connection before it answered",
			Hint: "it has just stopped, or was stopped: try again, or ask candor doctor", Cause: err}
	}
	return &candor.Error{Code: candor.CodeUnavailable, Message: "the brain at " + c.where + " cannot be reached",
		Hint: "is a brain running? candor up starts one; --brain or CANDOR_BRAIN_URL name another", Cause: err}
}

// refusal is the error that an answer carries, or the best reading of one that
// no brain wrote.
func (c *Client) refusal(resp *http.Response) error {
	var p wire.Problem
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem)) // a part of it is better than nothing
	if json.Unmarshal(body, &p) == nil && p.Error != nil && p.Error.Code != "" {
		return p.Error
	}
	const shown = 200
	text := strings.ToValidUTF8(string(body[:min(len(body), shown)]), "�")
	return &candor.Error{Code: wire.CodeOfStatus(resp.StatusCode),
		Message: fmt.Sprintf("%s answered %s: %q", c.where, resp.Status, strings.TrimSpace(text)),
		Hint:    "is that a candor brain, and of this version?"}
}
