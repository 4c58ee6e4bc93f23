package llamaserver

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
	"candor/internal/runtime/openaiwire"
)

// What an Options' zero values stand for.
const (
	DefaultCallLimit = 5 * time.Second
	DefaultFirst     = 6 * time.Minute
	DefaultNext      = 30 * time.Second
	// DefaultPoll is how often a status is read while waiting for it to change.
	DefaultPoll = 50 * time.Millisecond
	// DefaultVouch is how long the list of models is believed.
	DefaultVouch = 2 * time.Second
)

// Options say how to reach a server.
type Options struct {
	// URL is the server's root, like http://127.0.0.1:8080.
	URL   string
	Clock clock.Clock
	// Managed is what is known of a server that was started from a Serve; nil:
	// it is attached, and loads models as it was told by others.
	Managed *Managed
	// HTTP is the client to use; nil: one of its own, without a proxy.
	HTTP *http.Client
	// CallLimit bounds a call that is not an answer, in whole.
	CallLimit time.Duration
	// Patience bounds silence in answers where a request does not say.
	Patience runtime.Patience
	// Poll and Vouch: see DefaultPoll and DefaultVouch.
	Poll  time.Duration
	Vouch time.Duration
}

// Managed is what a Serve decided, as far as the adapter needs it.
type Managed struct {
	// Dir is the adapter's folder: the preset file and the models' logs.
	Dir string
	// Parallel is the number of slots of each model.
	Parallel int
	// Vectors are those of the Serve.
	Vectors map[string]string
}

func (o Options) withDefaults() Options {
	o.URL = strings.TrimRight(o.URL, "/")
	o.CallLimit = cmp.Or(max(o.CallLimit, 0), DefaultCallLimit)
	o.Patience = o.Patience.Or(runtime.Patience{First: DefaultFirst, Next: DefaultNext})
	o.Poll = cmp.Or(max(o.Poll, 0), DefaultPoll)
	o.Vouch = cmp.Or(max(o.Vouch, 0), DefaultVouch)
	if o.HTTP == nil {
		o.HTTP = exchange.NewHTTP(nil)
	}
	return o
}

// Client is an adapter to one server.
type Client struct {
	opts    Options         // immutable
	wire    openaiwire.Wire // immutable
	clk     clock.Clock
	pulse   runtime.Pulse
	digests *digests

	// settling is held while a model's section is written and put into force.
	settling sync.Mutex
	sections map[string]string // guarded by settling: the preset file, by model

	mu      sync.Mutex
	listed  []model          // guarded by mu: as the server last said
	asked   time.Time        // guarded by mu: when it said so
	learned map[string]size  // guarded by mu: from the logs, by model
	trimmed map[string]int64 // guarded by mu: how long each log was when it was emptied
}

var _ runtime.Server = (*Client)(nil)

// New makes an adapter. It does not connect.
func New(o Options) *Client {
	o = o.withDefaults()
	c := &Client{opts: o, clk: o.Clock, digests: newDigests(o.Managed), learned: map[string]size{}, trimmed: map[string]int64{}}
	c.wire = openaiwire.Wire{
		Peer: exchange.Peer{URL: o.URL, HTTP: o.HTTP, Clock: o.Clock},
		Kind: runtime.LlamaServer, Pulse: &c.pulse, Patience: o.Patience, Name: candor.ModelName,
	}
	return c
}

// Close ends idle connections.
func (c *Client) Close() { c.opts.HTTP.CloseIdleConnections() }
