package httpapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"candor"
	"candor/client"
	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/sched"
	"candor/internal/store"
)

// brain is a stand-in for the loop: it answers by a function and keeps events
// in a window like the real one.
type brain struct {
	answer func(context.Context, sched.Command) (any, error)

	mu     sync.Mutex
	seen   []sched.Command
	events []candor.Event
	floor  int64         // events up to here are in the store only
	grown  chan struct{} // closed when events grow
	waits  chan struct{} // has room for one word that somebody waits for events
}

func newBrain() *brain {
	return &brain{grown: make(chan struct{}), waits: make(chan struct{}, 1), answer: func(_ context.Context, cmd sched.Command) (any, error) { return usual(cmd) }}
}

func (b *brain) Do(ctx context.Context, cmd sched.Command) (any, error) {
	b.mu.Lock()
	b.seen = append(b.seen, cmd)
	b.mu.Unlock()
	return b.answer(ctx, cmd)
}

func (b *brain) Events(ctx context.Context, after int64, limit int) ([]candor.Event, int64, error) {
	for {
		b.mu.Lock()
		floor, grown := b.floor, b.grown
		i, _ := slices.BinarySearchFunc(b.events, after+1, func(e candor.Event, seq int64) int { return int(e.Seq - seq) })
		found := b.events[i:min(len(b.events), i+limit)]
		b.mu.Unlock()
		if after < floor {
			return nil, floor, nil
		}
		if len(found) > 0 {
			return found, floor, nil
		}
		select {
		case b.waits <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return nil, floor, ctx.Err()
		case <-grown:
		}
	}
}

func (b *brain) tell(events ...candor.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(slices.Clip(b.events), events...)
	close(b.grown)
	b.grown = make(chan struct{})
}

// forget drops events from the window, as a ring does.
func (b *brain) forget(upTo int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.floor = upTo
	b.events = slices.DeleteFunc(slices.Clone(b.events), func(e candor.Event) bool { return e.Seq <= upTo })
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	theBatch = candor.BatchID(7)
	theTask  = candor.TaskID(41)
)

// usual is one plausible reply for each command.
func usual(cmd sched.Command) (any, error) {
	change := candor.ChangeReply{Changed: []candor.Changed{{Target: theTask.String(), Batch: theBatch, Task: theTask, Tasks: 1, Text: "1 task"}}}
	switch cmd := cmd.(type) {
	case sched.Submit:
		return candor.SubmitReply{Batch: theBatch, Tasks: 3}, nil
	case sched.PreviewPlan:
		return candor.Preview{Tasks: 3}, nil
	case sched.Register:
		return candor.RegisterReply{Session: 5, Heartbeat: candor.Duration(10 * time.Second), Drop: []int64{3}}, nil
	case sched.Claim:
		reply := candor.ClaimReply{Steps: []candor.StepSpec{{Batch: theBatch, Step: candor.Step{Name: "count", Class: candor.ClassCPU}}}}
		for i := range cmd.Req.Max {
			reply.Tasks = append(reply.Tasks, candor.Assignment{Task: theTask + candor.TaskID(i), Index: i, Item: []byte(`"a b"`), Attempt: 1, Lease: 9})
		}
		return reply, nil
	case sched.Heartbeat:
		return candor.HeartbeatReply{Draining: true}, nil
	case sched.HostSeen:
		return candor.HostReply{Fence: []candor.FenceOrder{{Worker: "worker-1", Lease: 9, Task: theTask}}}, nil
	case sched.Leave, sched.Admit, sched.Tick:
		return nil, nil
	case sched.Cancel, sched.Retry, sched.Pause, sched.Resume, sched.Drain, sched.Undrain:
		return change, nil
	case sched.Why:
		if cmd.Target != "worker-1" {
			return nil, candor.Errorf(candor.CodeNotFound, "nothing living is called %q", cmd.Target)
		}
		return candor.Explanation{Subject: "worker", Reason: *candor.NewReason(candor.ReasonIdleNoWork, "nothing is queued"), Revision: 12, At: noon}, nil
	case sched.Workers:
		return []candor.Worker{{WorkerInfo: candor.WorkerInfo{Name: "worker-1", Host: "rig", Classes: []candor.Class{candor.ClassCPU}, Slots: 2}, State: candor.WorkerReady, JoinedAt: noon, SeenAt: noon}}, nil
	case sched.Models:
		return []candor.ModelView{{Name: "qwen2.5:7b", Queued: 3, Workers: []candor.ModelWorker{{Worker: "worker-1", State: "ready"}}}}, nil
	case sched.OrderModel:
		return candor.OrderReply{Orders: []candor.Ordered{{Task: theTask, Batch: theBatch, Worker: cmd.Req.Workers[0], Text: "ordered"}}}, nil
	case sched.Status:
		return candor.Status{At: noon, Revision: 12, Workers: 1, Alive: 1, Batches: 1,
			Queue: map[candor.Class]int{candor.ClassCPU: 1}, Tasks: map[candor.TaskState]int{candor.TaskQueued: 1},
			Pauses: []candor.Pause{{Scope: "batch", Target: theBatch.String(), By: "anna", At: noon}}}, nil
	case sched.Decorate:
		for i := range cmd.Tasks {
			cmd.Tasks[i].Progress = &candor.Progress{Done: 40, Total: 125}
		}
		return cmd.Tasks, nil
	case sched.Resolve:
		return sched.Refs{}, nil
	}
	return nil, candor.Errorf(candor.CodeInternal, "the stand-in knows no %T", cmd)
}

// shelf is a stand-in for the store's reading side.
type shelf struct {
	mu     sync.Mutex
	tasks  []candor.Task
	events []candor.Event
	tries  []candor.Attempt
	steps  []candor.StepView
}

func newShelf() *shelf {
	t := func(id candor.TaskID, state candor.TaskState, attempt int) candor.Task {
		return candor.Task{ID: id, Batch: theBatch, Name: "count", Step: "count", Index: -1, Class: candor.ClassCPU, State: state, Attempt: attempt, Worker: "worker-1", CreatedAt: noon, FinishedAt: noon}
	}
	return &shelf{tasks: []candor.Task{t(theTask, candor.TaskComplete, 1), t(theTask+1, candor.TaskQueued, 0), t(theTask+2, candor.TaskFailed, 2)}}
}

func (s *shelf) one() candor.Batch {
	return candor.Batch{ID: theBatch, Name: "library", State: candor.BatchActive, CreatedAt: noon, Total: 3, Counts: map[candor.TaskState]int{candor.TaskComplete: 1, candor.TaskQueued: 1, candor.TaskFailed: 1}, Steps: s.steps}
}

func (s *shelf) Batches(context.Context, candor.BatchQuery) ([]candor.Batch, error) {
	return []candor.Batch{s.one()}, nil
}

func (s *shelf) Batch(_ context.Context, id candor.BatchID) (candor.Batch, error) {
	if id != theBatch {
		return candor.Batch{}, candor.Errorf(candor.CodeNotFound, "no batch %s", id)
	}
	return s.one(), nil
}

func (s *shelf) BatchByKey(context.Context, string) (candor.BatchID, error) {
	return 0, candor.Errorf(candor.CodeNotFound, "no such key")
}

func (s *shelf) Tasks(_ context.Context, q candor.TaskQuery) ([]candor.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.tasks), func(t candor.Task) bool { return q.State != "" && t.State != q.State }), nil
}

func (s *shelf) Task(_ context.Context, id candor.TaskID) (candor.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.ID == id {
			return t, nil
		}
	}
	return candor.Task{}, candor.Errorf(candor.CodeNotFound, "no task %s", id)
}

func (s *shelf) Attempts(context.Context, candor.TaskID) ([]candor.Attempt, error) {
	return s.tries, nil
}

func (s *shelf) Resolve(_ context.Context, prefix string, limit int) (sched.Refs, error) {
	var refs sched.Refs
	for _, t := range s.tasks {
		if len(t.ID.String()) >= len(prefix) && t.ID.String()[:len(prefix)] == prefix && len(refs.Tasks) < limit {
			refs.Tasks = append(refs.Tasks, t.ID)
		}
	}
	if id := theBatch.String(); len(id) >= len(prefix) && id[:len(prefix)] == prefix {
		refs.Batches = append(refs.Batches, theBatch)
	}
	return refs, nil
}

func (s *shelf) Events(_ context.Context, q candor.EventQuery) ([]candor.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := slices.DeleteFunc(slices.Clone(s.events), func(e candor.Event) bool {
		return e.Seq <= q.After || (q.Worker != "" && e.Worker != q.Worker)
	})
	if q.Last > 0 {
		return found[max(0, len(found)-q.Last):], nil
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	return found[:min(q.Limit, len(found))], nil
}

func (s *shelf) Size(context.Context) (store.Size, error) { return store.Size{}, nil }

func (s *shelf) change(i int, f func(*candor.Task)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.tasks[i])
}

// record adds committed events.
func (s *shelf) record(events ...candor.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, events...)
}

// rig is a server on a real socket with stand-ins behind it.
type rig struct {
	brain *brain
	shelf *shelf
	state string
	url   string // http://127.0.0.1:port
	stop  func()
	log   *logged
}

// logged collects log lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// tokensFile writes one token for each role: the role's name, padded.
func tokensFile(t *testing.T) string {
	t.Helper()
	return write(t, t.TempDir(), "tokens", "# test\nviewer "+tokenOf("viewer")+"\noperator "+tokenOf("operator")+"\n\nworker "+tokenOf("worker")+"\n", 0o600)
}

func tokenOf(role candor.Role) string { return string(role) + "-0123456789abcdef" }

func write(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// start serves on addr ("" = any loopback port) until the test ends or stop is called.
func start(t *testing.T, addr string, tokens *httpapi.Tokens) *rig {
	t.Helper()
	return startWith(t, addr, tokens, newBrain(), newShelf())
}

func startWith(t *testing.T, addr string, tokens *httpapi.Tokens, b *brain, s *shelf) *rig {
	t.Helper()
	return startAt(t, addr, tokens, b, s, nil)
}

func startAt(t *testing.T, addr string, tokens *httpapi.Tokens, b *brain, s *shelf, clk clock.Clock) *rig {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	r := &rig{brain: b, shelf: s, state: t.TempDir(), log: &logged{}}
	srv, err := httpapi.New(httpapi.Options{Brain: r.brain, Store: r.shelf, StateDir: r.state, BatchRoot: "/srv/batches", Tokens: tokens, Clock: clk, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := httpapi.Listen(t.Context(), addr, tokens)
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + l.Addr().String()
	if _, ok := l.Addr().(*net.UnixAddr); ok {
		r.url = addr
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	r.stop = sync.OnceFunc(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// client makes a client with the token of role ("" = none).
func (r *rig) client(t *testing.T, role candor.Role) *client.Client {
	t.Helper()
	opts := client.Options{URL: r.url}
	if role != "" {
		opts.TokenFile = write(t, t.TempDir(), "token", tokenOf(role)+"\n", 0o600)
	}
	return newClient(t, opts)
}

func newClient(t *testing.T, opts client.Options) *client.Client {
	t.Helper()
	c, err := client.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// do sends a raw request.
func do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func wantCode(t *testing.T, err error, code candor.Code) {
	t.Helper()
	if err == nil || candor.CodeOf(err) != code {
		t.Errorf("error is %v (code %s), want code %s", err, candor.CodeOf(err), code)
	}
}
