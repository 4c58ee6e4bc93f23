package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// MaxReply bounds one reply or one line of a stream, in bytes: a list of
// vectors is the largest that is sound.
const MaxReply = 256 << 20

// Peer is a model server, as one speaks HTTP to it. It is a value.
type Peer struct {
	// URL is the server's root, without a slash at its end.
	URL   string
	HTTP  *http.Client
	Clock clock.Clock
	// Header adds to the headers of each request; nil: nothing is added.
	Header func(http.Header) error
}

// NewHTTP makes a client for model servers. proxy chooses one for a request;
// nil: none.
func NewHTTP(proxy func(*http.Request) (*url.URL, error)) *http.Client {
	return &http.Client{
		// As many idle connections as a server may have slots: the default of
		// two would open a new one for most rows.
		Transport: &http.Transport{Proxy: proxy, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
		// Model servers send nobody elsewhere; prompts and keys do not follow a
		// stranger.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send makes one request, with body as JSON unless it is nil.
func (p Peer) Send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.Header != nil {
		if err := p.Header(req.Header); err != nil {
			return nil, err
		}
	}
	return p.HTTP.Do(req)
}

// Reply is a whole reply.
type Reply struct {
	*http.Response
	Text []byte
}

// Call makes one request with one reply, within limit. An error is from before
// the reply was whole; what its status means is the caller's.
func (p Peer) Call(ctx context.Context, limit time.Duration, method, path string, body any) (Reply, error) {
	dog := p.Watch(ctx, limit)
	defer dog.Stop()
	resp, err := p.Send(dog.ctx, method, path, body)
	if err != nil {
		return Reply{}, p.Broken(dog, 0, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, MaxReply))
	if err != nil {
		return Reply{}, p.Broken(dog, 0, err)
	}
	return Reply{resp, text}, nil
}

// Broken says why an exchange ended before its reply, after tokens pieces of
// it: the caller left, the server was silent, or it is gone. An error that has
// a code already, such as Header's, is kept.
func (p Peer) Broken(dog *Watchdog, tokens int, err error) error {
	if cause := context.Cause(dog.ctx); cause != nil {
		if errors.Is(cause, errSilent) {
			return runtime.Hung(p.URL, dog.silence(), tokens)
		}
		return cause
	}
	if runtime.CodeOf(err) != "" {
		return err
	}
	return runtime.Gone(p.URL, tokens, err)
}

// Unanswered is Broken for an answer of model, where the end of the caller's
// time has two meanings: with tokens, the answer runs on; without, the server
// is silent.
func (p Peer) Unanswered(dog *Watchdog, model string, tokens int, err error) error {
	if errors.Is(context.Cause(dog.ctx), context.DeadlineExceeded) {
		if tokens == 0 {
			return runtime.Hung(p.URL, dog.Elapsed(), 0)
		}
		return runtime.Overdue(model, dog.Elapsed(), tokens, context.DeadlineExceeded)
	}
	return p.Broken(dog, tokens, err)
}
