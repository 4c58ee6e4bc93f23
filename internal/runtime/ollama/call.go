package ollama

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// get and post are calls that are not answers: bounded in whole.
func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, c.opts.CallLimit, http.MethodGet, path, "", nil, into)
}

func (c *Client) post(ctx context.Context, path, model string, body, into any) error {
	return c.call(ctx, c.opts.CallLimit, http.MethodPost, path, model, body, into)
}

// call is one request with one JSON reply, within limit.
func (c *Client) call(ctx context.Context, limit time.Duration, method, path, model string, body, into any) error {
	reply, err := c.peer.Call(ctx, limit, method, path, body)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return c.refusal(path, model, reply.Response, reply.Text)
	}
	if err := json.Unmarshal(reply.Text, into); err != nil {
		return c.stranger(path, reply.Response, err)
	}
	return nil
}

// stranger names a reply that no Ollama gives.
func (c *Client) stranger(path string, resp *http.Response, err error) error {
	if exchange.IsJSON(resp) && path != pathVersion {
		return runtime.Garbled(c.opts.URL, err)
	}
	return runtime.NotOurs(c.opts.URL, runtime.Ollama, resp.StatusCode, exchange.Describe(resp))
}
