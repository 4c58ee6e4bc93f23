package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"candor/internal/runtime"
)

// maxReply bounds one reply or one line of a stream, in bytes: a list of
// vectors is the largest that is sound.
const maxReply = 256 << 20

// errSilent is the cause with which a watchdog ends a request.
var errSilent = errors.New("silent for too long")

// get and post are calls that are not answers: bounded in whole.
func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, c.opts.CallLimit, http.MethodGet, path, "", nil, into)
}

func (c *Client) post(ctx context.Context, path, model string, body, into any) error {
	return c.call(ctx, c.opts.CallLimit, http.MethodPost, path, model, body, into)
}

// call is one request with one JSON reply, within limit.
func (c *Client) call(ctx context.Context, limit time.Duration, method, path, model string, body, into any) error {
	dog := c.watch(ctx, limit)
	defer dog.stop()
	resp, err := c.send(dog.ctx, method, path, body)
	if err != nil {
		return c.broken(dog, 0, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return c.broken(dog, 0, err)
	}
	if resp.StatusCode != http.StatusOK {
		return c.refusal(path, model, resp, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return c.stranger(path, resp, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.opts.URL+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.opts.HTTP.Do(req)
}

// broken says why an exchange ended before its reply: the caller left, the
// server was silent, or it is gone.
func (c *Client) broken(dog *watchdog, tokens int, err error) error {
	if cause := context.Cause(dog.ctx); cause != nil {
		if errors.Is(cause, errSilent) {
			return runtime.Hung(c.opts.URL, dog.silence(), tokens)
		}
		return cause
	}
	return runtime.Gone(c.opts.URL, tokens, err)
}

// stranger names a reply that no Ollama gives.
func (c *Client) stranger(path string, resp *http.Response, err error) error {
	if isJSON(resp) && path != pathVersion {
		return runtime.Garbled(c.opts.URL, err)
	}
	return runtime.NotOurs(c.opts.URL, runtime.Ollama, resp.StatusCode, describe(resp))
}

func isJSON(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || kind == "application/x-ndjson")
}

// describe is what a stranger says of itself.
func describe(resp *http.Response) string {
	if name := resp.Header.Get("Server"); name != "" {
		return "it calls itself " + name
	}
	if kind := resp.Header.Get("Content-Type"); kind != "" {
		return "content type " + kind
	}
	return "no content type"
}
