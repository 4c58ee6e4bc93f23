package modelhost

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"candor"
	"candor/internal/record"
	"candor/internal/runtime"
)

// The codes of a host's log lines, under record.KeyCode.
const (
	lineStarted = "model_server.started"
	lineState   = "model_server.state"
	lineSwept   = "model_server.swept"
	lineModel   = "model_server.model"
	lineOrder   = "model_server.order"
)

// Host keeps one model server. All methods may be called from any goroutine.
type Host struct {
	// Immutable.
	o       Options
	changed chan struct{} // see Changed
	nudge   chan struct{} // look at the server now
	again   chan struct{} // Reset was called
	turn    chan struct{} // holds a value while an order is carried out
	helpers sync.WaitGroup

	mu sync.Mutex
	// Guarded by mu.
	state    candor.ServerState
	since    time.Time    // in that state
	text     string       // why it is not up
	code     runtime.Code // of the same, where it has one
	restarts int
	life     *life             // the server that is up; nil: none
	models   map[string]*model // in its memory, by candor.ModelName
	past     map[string]*past  // by candor.ModelName, of all lives
	edition  int               // of models: rises with what orders and probes find out
	bearing  bearing
	queue    []*waiter // for a slot, first come first
	news     chan struct{}
	work     *work // the order under way
	catalog  *candor.Catalog
	revision int64
	dirty    bool // past holds what is not on disk
	probing  bool // a model is being asked for a token
}

// New makes a host. Nothing is started before Run.
func New(o Options) (*Host, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Host{
		o: o, changed: make(chan struct{}, 1), nudge: make(chan struct{}, 1), again: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		state: candor.ServerStarting, since: o.Clock.Now(), models: map[string]*model{}, past: readPast(o),
		bearing: newBearing(o.Slots), news: make(chan struct{}),
	}, nil
}

// Run keeps the server until ctx ends; a managed one has ended when it returns,
// or the error names what is left of it.
func (h *Host) Run(ctx context.Context) error {
	defer h.helpers.Wait()
	defer h.keepPast()
	if h.o.Launch == nil {
		h.attend(ctx)
		return nil
	}
	return h.manage(ctx)
}

// Catalog is what could be loaded, and a number that rises when it changes;
// nil and 0 before the server was first asked.
func (h *Host) Catalog() (*candor.Catalog, int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.catalog, h.revision
}

// Changed has a value after Serving or Catalog changed in a way that the brain
// should hear of soon. It is for one reader.
func (h *Host) Changed() <-chan struct{} { return h.changed }

// Reset lets a server that is out of service be started again.
func (h *Host) Reset() { poke(h.again) }

// poke leaves a value for the one who listens, who may be busy.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell lets everybody look again: who waits for a slot or for a model to be
// idle, and the brain. The caller holds mu.
func (h *Host) tell() {
	h.grant()
	close(h.news)
	h.news = make(chan struct{})
	poke(h.changed)
}

// enter changes the server's state, and says so when it does. cause is the
// fault behind it, nil where there is none.
func (h *Host) enter(state candor.ServerState, text string, cause error) {
	h.mu.Lock()
	h.code = runtime.CodeOf(cause)
	if state == h.state && text == h.text {
		h.mu.Unlock()
		return
	}
	if state != h.state {
		h.state, h.since = state, h.o.Clock.Now()
	}
	h.text = text
	h.tell()
	h.mu.Unlock()
	level, line := slog.LevelInfo, fmt.Sprintf("Model server (%s) of %s is %s", h.o.Kind, h.o.Name, state)
	if state != candor.ServerUp && state != candor.ServerStarting {
		level = slog.LevelWarn
	}
	if text != "" {
		line += ": " + text
	}
	h.say(level, lineState, line, slog.String(record.KeyState, string(state)))
}

func (h *Host) say(level slog.Level, code, text string, attrs ...slog.Attr) {
	if h.o.Log == nil {
		return
	}
	all := append([]slog.Attr{slog.String(record.KeyCode, code), slog.String(record.KeyWorker, h.o.Name)}, attrs...)
	h.o.Log.LogAttrs(context.Background(), level, text, all...)
}

// life is one server from when it is reached, or started, until it is given up.
type life struct {
	// Immutable.
	ctx    context.Context // ends when it is given up; its cause is why
	end    context.CancelCauseFunc
	server runtime.Server
	url    string
	// suspect: the same server was given up before, for its silence. Nobody but
	// that keeps its models from a token.
	suspect bool

	identity runtime.Identity // set before anybody else sees the life
	answered time.Time        // by the goroutine of Run only: its API
	listed   time.Time        // by the goroutine of Run only: its catalog
}

func (h *Host) newLife(ctx context.Context, server runtime.Server, url string) *life {
	l := &life{server: server, url: url}
	l.ctx, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	// Requests under way hear that the server is gone, not that they were cancelled.
	context.AfterFunc(ctx, func() { l.end(runtime.Gone(url, 0, errStopped)) })
	return l
}

// within makes a context that ends with the caller's, or with the life and its
// reason.
func (l *life) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// blame is why a request on this life failed: the life's own end explains more
// than the broken connection that came of it.
func (l *life) blame(err error) error {
	if err != nil && l.ctx.Err() != nil && runtime.CodeOf(context.Cause(l.ctx)) != "" {
		return context.Cause(l.ctx)
	}
	return err
}

// bear makes a life the one that orders and loans go to.
func (h *Host) bear(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.life, l.answered = l, h.o.Clock.Now()
	h.models = map[string]*model{}
	h.edition++
	h.bearing = newBearing(h.slotsOf(l))
}

// bury forgets a life and all that was in its memory.
func (h *Host) bury(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life != l {
		return
	}
	h.life = nil
	h.models = map[string]*model{}
	h.edition++
	h.tell()
}
