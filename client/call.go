package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
)

const (
	// patience is granted for each mebibyte of a request body, so that a large
	// submission over a slow line is no timeout.
	patience = time.Second
	// maxReply bounds an answer: a page of tasks with their items.
	maxReply = 1 << 30
	// maxProblem bounds the answer to a refused call.
	maxProblem = 1 << 20
)

// request is one call in the making.
type request struct {
	op        wire.Op
	names     []string // of the path's wildcards, in order
	query     url.Values
	body      any           // nil: none
	wait      time.Duration // how long the brain may hold the answer
	accept    string
	lastEvent string
}

// call sends one request and reads the whole answer into reply, within the
// client's timeout and the request's wait.
func (c *Client) call(ctx context.Context, req request, reply any) error {
	body, err := encode(req.body)
	if err != nil {
		return err
	}
	limit := c.opts.Timeout + req.wait + time.Duration(len(body)>>20)*patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSilent)
	defer cancel()
	c.hush(ctx, req.wait)
	resp, err := c.send(ctx, req, body)
	if err != nil {
		return c.fault(ctx, limit, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return c.refusal(resp)
	}
	answer := c.buffers.Get()
	defer c.buffers.Put(answer)
	if _, err = answer.ReadFrom(io.LimitReader(resp.Body, maxReply)); err != nil {
		return c.fault(ctx, limit, err)
	}
	if err = decode(answer.Bytes(), reply); err != nil {
		return &candor.Error{Code: candor.CodeUnavailable, Message: "the answer of " + c.where + " is not a brain's",
			Hint: "is the URL right, and the brain of this version?", Cause: err}
	}
	return nil
}

// send makes the HTTP request of req and returns its answer's head. The body is
// the transport's from then on, which may read it when its answer is there
// already: it is no buffer that the next call could use.
func (c *Client) send(ctx context.Context, req request, body []byte) (*http.Response, error) {
	route := c.routes[req.op]
	for _, name := range req.names {
		if name == "" || name == "." || name == ".." { // no path could carry it
			return nil, candor.Errorf(candor.CodeInvalid, "%q is no id or name", name)
		}
	}
	target := c.base + route.Target(req.names...)
	if len(req.query) > 0 {
		target += "?" + req.query.Encode()
	}
	// A bytes.Reader, which the transport knows to be in memory, goes out in one
	// write with the head, where another reader's head would go out alone first.
	r, err := http.NewRequestWithContext(ctx, route.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	c.head(r.Header, req)
	if req.body != nil {
		r.Header.Set("Content-Type", "application/json")
		if r.ContentLength > wire.SmallBody {
			r.Header.Set("Expect", "100-continue")
		}
	}
	if req.op == wire.OpClaim && r.ContentLength <= maxClaim {
		return c.claims.Do(r)
	}
	return c.http.Do(r)
}

func (c *Client) head(h http.Header, req request) {
	h.Set("User-Agent", c.opts.UserAgent)
	if req.accept != "" {
		h.Set("Accept", req.accept)
	}
	if req.lastEvent != "" {
		h.Set(wire.HeaderLastEvent, req.lastEvent)
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
}

// encode is body as JSON; nil if there is none.
func encode(body any) (data []byte, err error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case *candor.ClaimRequest:
		data, err = wire.AppendClaimRequest(nil, body)
	default:
		data, err = json.Marshal(body)
	}
	return data, unwritable(err)
}

func unwritable(err error) error {
	if err == nil {
		return nil
	}
	return &candor.Error{Code: candor.CodeInvalid, Message: "the request cannot be written as JSON", Cause: err}
}

func decode(data []byte, reply any) error {
	if claim, ok := reply.(*candor.ClaimReply); ok {
		return wire.DecodeClaimReply(data, claim)
	}
	return json.Unmarshal(data, reply)
}
