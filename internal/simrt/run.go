package simrt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Run serves a simulated server at addr (like 127.0.0.1:0), with faults from the
// start, until ctx ends, and calls ready with its URL once it listens. It returns
// an error when a fault is none, when the server could not listen, or when it was
// killed by a fault: its process ends then, too.
func Run(ctx context.Context, o Options, addr string, ready func(url string), faults ...Fault) error {
	s := New(o)
	for _, f := range faults {
		if err := s.Inject(f); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("simulated model server: %w", err)
	}
	web := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	ready("http://" + listener.Addr().String())
	select {
	case err = <-served: // the listener failed
		return err
	case <-s.Died():
	case <-ctx.Done():
	}
	// At once: an answer that is being written is nobody's loss.
	if err := errors.Join(web.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	select {
	case <-s.Died():
		return errDead
	default:
		return nil
	}
}
