package ollama

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// What an Options' zero values stand for.
const (
	DefaultCallLimit = 5 * time.Second
	// DefaultFirst outlasts Ollama's own limit on loading (OLLAMA_LOAD_TIMEOUT, 5 minutes).
	DefaultFirst = 6 * time.Minute
	// DefaultNext outlasts the time in which Ollama finds out by itself that an
	// idle runner hangs (22 s measured).
	DefaultNext = 30 * time.Second
	// DefaultPoll is how often a list is read while waiting for it to change.
	DefaultPoll = 100 * time.Millisecond
	// DefaultVouch is how long the content behind a name is taken to be the
	// same without asking again.
	DefaultVouch = 2 * time.Second
)

// Options say how to reach a server.
type Options struct {
	// URL is the server's root, like http://127.0.0.1:11434.
	URL   string
	Clock clock.Clock
	// HTTP is the client to use; nil: one of its own, without a proxy.
	HTTP *http.Client
	// Slots is OLLAMA_NUM_PARALLEL where it is known (managed servers), else 0.
	Slots int
	// CallLimit bounds a call that is not an answer, in whole.
	CallLimit time.Duration
	// Patience bounds silence in answers where a request does not say.
	Patience runtime.Patience
	// Poll and Vouch: see DefaultPoll and DefaultVouch.
	Poll  time.Duration
	Vouch time.Duration
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
	opts  Options       // immutable
	peer  exchange.Peer // immutable
	clk   clock.Clock
	pulse runtime.Pulse

	mu      sync.Mutex
	vouched map[string]vouched // guarded by mu: by canonical name
}

// vouched is the content that a name stood for when the server was last asked.
type vouched struct {
	digest string
	at     time.Time
}

var _ runtime.Server = (*Client)(nil)

// New makes an adapter. It does not connect.
func New(o Options) *Client {
	o = o.withDefaults()
	return &Client{
		opts: o, peer: exchange.Peer{URL: o.URL, HTTP: o.HTTP, Clock: o.Clock}, clk: o.Clock,
		vouched: map[string]vouched{},
	}
}

// Close ends idle connections.
func (c *Client) Close() { c.opts.HTTP.CloseIdleConnections() }

// canonical is the name under which Ollama lists a model: with its tag.
func canonical(model string) string {
	last := model[strings.LastIndex(model, "/")+1:]
	if model == "" || strings.Contains(last, ":") {
		return model
	}
	return model + ":latest"
}
