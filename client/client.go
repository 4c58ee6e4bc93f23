// Package client is the Go client of candor's HTTP API. The command line, the
// workers and the benchmarks use nothing else.
//
// It is a translation, not a policy: it retries nothing but the stream of
// [Client.Follow], and keeps no state but open connections.
//
// Invariants:
//
//   - every error is a *candor.Error with the server's code; a brain that cannot
//     be reached is candor.CodeUnavailable with a hint what to try;
//   - no call hangs for ever: each has a total timeout, and a long poll its own
//     wait with a margin, since a stopped process still accepts connections;
//   - a Client is safe for concurrent use and reuses its connections.
package client

import (
	"net/http"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/httpapi/wire"
)

// Options say which brain to talk to, and how. Zero values choose defaults.
type Options struct {
	URL       string // http://host:port, https://…, unix:///path/to.sock
	TokenFile string // the token, alone or after its role; "" = none
	UserAgent string
	Clock     clock.Clock   // nil = the system's
	Timeout   time.Duration // of each call, on top of a long poll's wait; 0 = 30s
	// Reconnected hears each time Follow lost its stream and is about to try
	// again. It must not block.
	Reconnected func(Reconnect)
	// Quiet hears of a call that has had no answer for so long, beyond the wait
	// that it asked for. It may be called from any goroutine; nil: nobody.
	Quiet func(time.Duration)
}

// Reconnect is one loss of a stream.
type Reconnect struct {
	Cause error         // why the stream ended
	After int64         // the last event that was delivered
	Wait  time.Duration // until the next try
	Tries int           // how many tries in a row have failed, from 1
}

const defaultTimeout = 30 * time.Second

// Client calls one brain.
type Client struct {
	// immutable
	opts    Options
	where   string // the brain as people name it, for errors
	token   string
	base    string // scheme and host in front of every path
	http    *http.Client
	claims  *http.Client
	routes  map[wire.Op]wire.Route
	silence time.Duration // without a byte after which a stream counts as dead

	buffers wire.Buffers // safe for concurrent use
}

// New makes a client. It connects to nothing yet; a bad URL or an unreadable
// token file is candor.CodeInvalid.
func New(opts Options) (*Client, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System()
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.UserAgent == "" {
		opts.UserAgent = "candor-client"
	}
	if opts.Reconnected == nil {
		opts.Reconnected = func(Reconnect) {}
	}
	way, err := dial(opts.URL, opts.Clock)
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts: opts, base: way.base, where: opts.URL, silence: streamSilence,
		http:   &http.Client{Transport: way.most, CheckRedirect: refuseRedirect},
		claims: &http.Client{Transport: way.claims, CheckRedirect: refuseRedirect},
		routes: map[wire.Op]wire.Route{},
	}
	if opts.TokenFile != "" {
		if c.token, err = wire.ReadToken(opts.TokenFile); err != nil {
			return nil, err
		}
	}
	for _, r := range wire.Routes() {
		c.routes[r.Op] = r
	}
	return c, nil
}

// Close ends idle connections. Calls under way go on.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.claims.CloseIdleConnections()
}

// refuseRedirect: a brain never redirects, and a token must not travel.
func refuseRedirect(req *http.Request, _ []*http.Request) error {
	return candor.Errorf(candor.CodeUnavailable, "redirected to %s: no brain answers so", req.URL.Redacted())
}
