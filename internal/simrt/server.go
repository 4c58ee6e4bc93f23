package simrt

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"candor/internal/clock"
)

// errDead ends requests of a server that was killed.
var errDead = errors.New("the simulated server was killed")

// Server is one simulated server.
type Server struct {
	opts    Options       // immutable
	clk     clock.Clock   // immutable
	handler http.Handler  // immutable
	dead    chan struct{} // closed, once, when the server was killed

	mu      sync.Mutex
	models  map[string]Model   // guarded by mu
	loaded  map[string]*runner // guarded by mu
	faults  []Fault            // guarded by mu
	waiting int                // guarded by mu: requests without a slot
	asked   uint64             // guarded by mu: answers begun, the seed of those without one
	changed chan struct{}      // guarded by mu: closed at the next change
	thawed  chan struct{}      // guarded by mu: open while the server is frozen
}

// New makes a server with its models, none loaded.
func New(o Options) *Server {
	s := &Server{
		opts: o.withDefaults(), clk: o.Clock,
		models: map[string]Model{}, loaded: map[string]*runner{},
		changed: make(chan struct{}), dead: make(chan struct{}), thawed: closed(),
	}
	for _, m := range o.Models {
		m = m.withDefaults()
		s.models[m.Name] = m
	}
	s.handler = s.routes()
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.greet)
	mux.HandleFunc("GET /api/version", s.version)
	mux.HandleFunc("GET /api/tags", s.tags)
	mux.HandleFunc("GET /api/ps", s.ps)
	mux.HandleFunc("POST /api/show", s.show)
	mux.HandleFunc("POST /api/generate", s.generate)
	mux.HandleFunc("POST /api/chat", s.chat)
	mux.HandleFunc("POST /api/embed", s.embed)
	mux.HandleFunc("POST /api/pull", s.pull)
	mux.HandleFunc("DELETE /api/delete", s.remove)
	mux.HandleFunc("GET /simulated/faults", s.listFaults)
	mux.HandleFunc("POST /simulated/faults", s.injectFault)
	mux.HandleFunc("DELETE /simulated/faults", s.clearFaults)
	return mux
}

// ServeHTTP implements http.Handler. A frozen server takes connections and says
// nothing; a dead one breaks them off.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.gate():
	case <-s.dead:
	case <-r.Context().Done():
		return
	}
	s.abortIfDead()
	w.Header().Set(Header, "true")
	s.handler.ServeHTTP(w, r)
}

func (s *Server) gate() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.thawed
}

// abortIfDead breaks off the connection, as the kernel does for a dead process.
func (s *Server) abortIfDead() {
	select {
	case <-s.dead:
		panic(http.ErrAbortHandler)
	default:
	}
}

// Kill is kill -9: connections break, everything in memory is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.dead:
	default:
		close(s.dead)
	}
}

// Died is closed once the server was killed.
func (s *Server) Died() <-chan struct{} { return s.dead }

// Freeze is SIGSTOP; the returned function is SIGCONT and may be called twice.
func (s *Server) Freeze() (thaw func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thawed = gate
	return sync.OnceFunc(func() { close(gate) })
}

// KillRunner kills the process of a loaded model. The server goes on to list it.
func (s *Server) KillRunner(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.loaded[model]; r != nil && !r.isDead() {
		close(r.dead)
	}
}

// FreezeRunner stops the process of a loaded model; the returned function lets
// it go on and may be called twice.
func (s *Server) FreezeRunner(model string) (thaw func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.loaded[model]
	if r == nil {
		return func() {}
	}
	gate := make(chan struct{})
	r.thawed = gate
	return sync.OnceFunc(func() { close(gate) })
}

// thawedRunner is closed while the runner runs.
func (s *Server) thawedRunner(r *runner) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.thawed
}

// pass waits until server and runner are not frozen, and returns why an answer
// ends here: the caller left, or something was killed.
func (s *Server) pass(ctx context.Context, r *runner) error {
	for _, gate := range []<-chan struct{}{s.gate(), s.thawedRunner(r)} {
		select {
		case <-gate:
		case <-s.dead:
		case <-r.dead:
		case <-ctx.Done():
		}
	}
	select {
	case <-s.dead:
		return errDead
	case <-r.dead:
		return errRunnerDead
	case <-ctx.Done():
		return ctx.Err()
	default:
		return nil
	}
}
