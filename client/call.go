package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
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
	// maxKept is the largest buffer that is kept for the next call.
	maxKept = 1 << 20
)

// request is one call in the making.
type request struct {
	op     wire.Op
	names  []string // of the path's wildcards, in order
	query  url.Values
	body   any // nil: none
	wait   time.Duration
	accept string
	header http.Header
}

// buffers are reused between calls; claims come by the thousand a second.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		buffers.Put(b)
	}
}

// call sends one request and reads the whole answer into reply, within the
// client's timeout and the request's wait.
func (c *Client) call(ctx context.Context, req request, reply any) error {
	body := buffers.Get().(*bytes.Buffer)
	if err := encode(body, req.body); err != nil {
		return err
	}
	limit := c.opts.Timeout + req.wait + time.Duration(body.Len()>>20)*patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSilent)
	defer cancel()
	resp, err := c.send(ctx, req, body.Bytes())
	if err != nil {
		// The transport may still be reading the body: leave it to the collector.
		return c.fault(ctx, limit, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := buffers.Get().(*bytes.Buffer)
	defer release(answer)
	if _, err := answer.ReadFrom(io.LimitReader(resp.Body, maxReply)); err != nil {
		return c.fault(ctx, limit, err)
	}
	release(body)
	if resp.StatusCode != http.StatusOK {
		return c.refusal(resp, answer.Bytes())
	}
	if err := decode(answer.Bytes(), reply); err != nil {
		return &candor.Error{Code: candor.CodeUnavailable, Message: "the answer of " + c.where + " is not a brain's",
			Hint: "is the URL right, and the brain of this version?", Cause: err}
	}
	return nil
}

// send makes the HTTP request of req and returns its answer's head.
func (c *Client) send(ctx context.Context, req request, body []byte) (*http.Response, error) {
	route := c.routes[req.op]
	target := c.base + route.Target(req.names...)
	if len(req.query) > 0 {
		target += "?" + req.query.Encode()
	}
	var content io.Reader
	if req.body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, route.Method, target, content)
	if err != nil {
		return nil, err
	}
	for k, v := range req.header {
		r.Header[k] = v
	}
	r.Header.Set("User-Agent", c.opts.UserAgent)
	if req.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if req.accept != "" {
		r.Header.Set("Accept", req.accept)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.http.Do(r)
}

func encode(dst *bytes.Buffer, body any) error {
	if body == nil {
		return nil
	}
	if err := json.NewEncoder(dst).Encode(body); err != nil {
		return &candor.Error{Code: candor.CodeInvalid, Message: "the request cannot be written as JSON", Cause: err}
	}
	return nil
}

func decode(data []byte, reply any) error { return json.Unmarshal(data, reply) }
