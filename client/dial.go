package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"candor"
	"candor/internal/clock"
)

const (
	// maxIdle is how many open connections wait for reuse: the long polls of a
	// host full of workers, each slot with one.
	maxIdle     = 1024
	idleTimeout = 90 * time.Second
	dialTimeout = 5 * time.Second
	// expectTimeout is how long a large body waits to be asked for.
	expectTimeout = 5 * time.Second
)

// transports is the way to a brain.
type transports struct {
	base   string            // scheme and host in front of every path
	most   http.RoundTripper // of all calls but claims
	claims http.RoundTripper
}

// dial finds the way to a brain's URL. It connects to nothing yet.
func dial(raw string, c clock.Clock) (transports, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Host == "" && u.Path == "") {
		return transports{}, badURL(raw)
	}
	d := &net.Dialer{Timeout: dialTimeout}
	t := &http.Transport{
		DialContext:         d.DialContext,
		MaxIdleConns:        maxIdle,
		MaxIdleConnsPerHost: maxIdle,
		IdleConnTimeout:     idleTimeout,
		// Large bodies ask first, so that a refusal is read, not a broken pipe.
		ExpectContinueTimeout: expectTimeout,
		DisableCompression:    true,
		ReadBufferSize:        32 << 10,
		WriteBufferSize:       32 << 10,
	}
	switch {
	case u.Scheme == "unix" && u.Host == "":
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", u.Path)
		}
		return transports{"http://localhost", t, newExchange(t, "localhost", c)}, nil
	case u.Scheme == "http" && u.Host != "" && (u.Path == "" || u.Path == "/"):
		return transports{"http://" + u.Host, t, newExchange(t, u.Host, c)}, nil
	case u.Scheme == "https" && u.Host != "" && (u.Path == "" || u.Path == "/"):
		return transports{"https://" + u.Host, t, t}, nil
	default:
		return transports{}, badURL(raw)
	}
}

func badURL(raw string) error {
	return &candor.Error{Code: candor.CodeInvalid, Message: fmt.Sprintf("%q is not a brain's URL", raw),
		Hint: "write it like http://127.0.0.1:7070 or unix:///run/candor.sock"}
}
