package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/httpapi/wire"
	"candor/internal/sched"
	"candor/internal/store"
)

// Brain is what the server needs of the loop that owns the state.
type Brain interface {
	// Do hands in a command and returns its reply once it is durable. Claims and
	// heartbeats, and a supervisor's account, may be held for the wait they ask for.
	Do(ctx context.Context, cmd sched.Command) (any, error)
	// Events returns committed events with Seq > after, oldest first, at most max,
	// and waits for one if there is none. If it no longer has all of them, it
	// answers at once with no event and with floor > after: what is at or below
	// floor is in the store. The events are not to be changed.
	Events(ctx context.Context, after int64, max int) (events []candor.Event, floor int64, err error)
}

// Options say what the server serves. Brain and Store are required.
type Options struct {
	Brain     Brain
	Store     store.Reader
	StateDir  string  // attempts' logs are below it; "" = there are none here
	BatchRoot string  // where batches keep their outputs, for display
	Tokens    *Tokens // nil = none: only unix sockets and loopback
	Version   string
	Clock     clock.Clock  // nil = the system's
	Logger    *slog.Logger // nil = discard
}

// What one connection may take, in time. Long polls and streams have no limit
// on the whole; each single write has.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	bodyTimeout   = 5 * time.Minute
	writeTimeout  = 30 * time.Second
	maxHeader     = 64 << 10
)

// Server serves the API on any number of listeners.
type Server struct {
	// immutable
	opts   Options
	logger *slog.Logger
	clock  clock.Clock
	logs   *os.Root // nil: no logs here
	http   *http.Server
	stop   context.CancelFunc // ends long polls and streams
	bufs   wire.Buffers       // safe for concurrent use
}

// New makes a server. The state directory must exist.
func New(opts Options) (*Server, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System()
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: opts, logger: opts.Logger, clock: opts.Clock}
	if opts.StateDir != "" {
		root, err := os.OpenRoot(opts.StateDir)
		if err != nil {
			return nil, fmt.Errorf("open state directory: %w", err)
		}
		s.logs = root
	}
	base, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		ConnContext:       keepConn,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	return s, nil
}

// Serve answers on l until Shutdown, and then returns nil. An address that is
// open to other machines is refused without tokens, whoever made the listener.
func (s *Server) Serve(l net.Listener) error {
	if s.opts.Tokens == nil && !private(l.Addr()) {
		return needTokens(l.Addr().String())
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown ends long polls and streams, lets other answers go out until ctx
// ends, and closes the listeners.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if s.logs != nil {
		err = errors.Join(err, s.logs.Close())
	}
	return err
}

// handler mounts the route table behind the guard.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	all := handlers()
	for _, route := range wire.Routes() {
		mux.Handle(route.Pattern(), s.serve(route, all[route.Op].run))
	}
	mux.HandleFunc("/", s.nowhere)
	return s.browserGuard(mux)
}

// nowhere answers what no route matches. It asks for a token first, so that a
// stranger cannot tell what exists.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	if err := s.authorize(r, wire.Route{Path: "(unknown)", Method: r.Method, Role: candor.RoleViewer}); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.refuse(w, r, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no route %s %s", r.Method, r.URL.Path),
		Hint: "GET /v1/openapi.json lists the routes; is client and brain of one version?"})
}
