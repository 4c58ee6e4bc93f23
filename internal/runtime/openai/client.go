package openai

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
	"candor/internal/runtime/openaiwire"
)

// What an Options' zero values stand for.
const (
	DefaultCallLimit = 10 * time.Second
	// DefaultFirst allows for a server that loads the model first.
	DefaultFirst = 6 * time.Minute
	DefaultNext  = time.Minute
	// DefaultLately is how long a model that answered is taken to be loaded:
	// what LM Studio keeps an idle one for is longer, Ollama's is the same.
	DefaultLately = 5 * time.Minute
	// DefaultVouch is how long a list of models is believed before it is read
	// again.
	DefaultVouch = 10 * time.Second
)

// Options say how to reach a server.
type Options struct {
	// URL is the server's root, like http://127.0.0.1:8000; a /v1 at its end is
	// ignored.
	URL   string
	Clock clock.Clock
	// KeyFile holds the key in its first line; empty: none is sent.
	KeyFile string
	// Context is the number of tokens that one conversation may have, where the
	// server does not say; 0: not known.
	Context int
	// Slots is how many requests the server answers at once, 0: not known.
	Slots int
	// HTTP is the client to use; nil: one of its own, with the environment's
	// proxy.
	HTTP *http.Client
	// CallLimit bounds a call that is not an answer, in whole.
	CallLimit time.Duration
	// Patience bounds silence in answers where a request does not say.
	Patience runtime.Patience
	// Lately and Vouch: see DefaultLately and DefaultVouch.
	Lately time.Duration
	Vouch  time.Duration
}

func (o Options) withDefaults() Options {
	o.URL = strings.TrimSuffix(strings.TrimRight(o.URL, "/"), "/v1")
	o.CallLimit = cmp.Or(max(o.CallLimit, 0), DefaultCallLimit)
	o.Patience = o.Patience.Or(runtime.Patience{First: DefaultFirst, Next: DefaultNext})
	o.Lately = cmp.Or(max(o.Lately, 0), DefaultLately)
	o.Vouch = cmp.Or(max(o.Vouch, 0), DefaultVouch)
	if o.HTTP == nil {
		o.HTTP = exchange.NewHTTP(http.ProxyFromEnvironment)
	}
	return o
}

// Client is an adapter to one server.
type Client struct {
	opts  Options         // immutable
	wire  openaiwire.Wire // immutable
	clk   clock.Clock
	pulse runtime.Pulse

	mu       sync.Mutex
	listed   []entry              // guarded by mu: as the server last said
	listedAt time.Time            // guarded by mu
	answered map[string]time.Time // guarded by mu: by the server's name, the last token
}

var _ runtime.Server = (*Client)(nil)

// New makes an adapter. It does not connect.
func New(o Options) *Client {
	o = o.withDefaults()
	c := &Client{opts: o, clk: o.Clock, answered: map[string]time.Time{}}
	key := keyFile(o.KeyFile)
	c.wire = openaiwire.Wire{
		Peer: exchange.Peer{URL: o.URL, HTTP: o.HTTP, Clock: o.Clock, Header: key.header},
		Kind: runtime.OpenAI, Pulse: &c.pulse, Patience: o.Patience, Name: c.nameOf, Hide: key.read,
	}
	return c
}

// Close ends idle connections.
func (c *Client) Close() { c.opts.HTTP.CloseIdleConnections() }
