package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

type pullRequest struct {
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
}

// pullReply is one line of a pull; the last one says "success", or holds an
// error, whatever the status was.
type pullReply struct {
	Status    string `json:"status"`
	Total     int64  `json:"total"`
	Completed int64  `json:"completed"`
	Error     string `json:"error"`
}

// pulled is Ollama's word for the end of a pull that went well.
const pulled = "success"

// Pull implements runtime.Server. Silence is bounded as in an answer; a file of
// some GiB may be verified without a word.
func (c *Client) Pull(ctx context.Context, model string, tell func(runtime.Pulled)) error {
	if model == "" {
		return runtime.Refuse("pull: no model is named")
	}
	dog := c.peer.Watch(ctx, c.opts.Patience.First)
	defer dog.Stop()
	resp, err := c.peer.Send(dog.Context(), http.MethodPost, pathPull, pullRequest{Model: model, Stream: true})
	if err != nil {
		return c.peer.Broken(dog, 0, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(lines, exchange.MaxReply))
		if err != nil {
			return c.peer.Broken(dog, 0, err)
		}
		return c.refusal(pathPull, model, resp, text)
	}
	for {
		line, err := exchange.ReadLine(lines)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return runtime.Unpullable(c.opts.URL, model, "it ended without a word of success")
		case err != nil && !errors.Is(err, io.EOF):
			return c.peer.Broken(dog, 0, err)
		}
		dog.Hear(c.clk.Now(), c.opts.Patience.First)
		var reply pullReply
		if err := json.Unmarshal(line, &reply); err != nil {
			return c.stranger(pathPull, resp, err)
		}
		switch {
		case reply.Error != "":
			return runtime.Unpullable(c.opts.URL, model, reply.Error)
		case reply.Status == pulled:
			return nil
		case tell != nil:
			tell(runtime.Pulled{Done: reply.Completed, Total: reply.Total, Note: reply.Status})
		}
	}
}
