package modelhost_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

// wire carries HTTP to a handler without a socket, so that it works in virtual
// time.
type wire struct{ to http.Handler }

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in, out := io.Pipe()
	reply := &replyWriter{out: out, header: http.Header{}, begun: make(chan struct{})}
	go func() {
		defer func() {
			if recover() != nil { // http.ErrAbortHandler: the connection broke
				_ = out.CloseWithError(errors.New("connection reset by peer"))
				reply.fail()
				return
			}
			reply.WriteHeader(http.StatusOK)
			out.Close()
		}()
		request := r.Clone(ctx)
		if request.Body == nil {
			request.Body = http.NoBody
		}
		w.to.ServeHTTP(reply, request)
	}()
	select {
	case <-reply.begun:
	case <-ctx.Done():
		cancel()
		in.Close()
		return nil, ctx.Err()
	}
	if reply.failed {
		cancel()
		return nil, errors.New("connection refused")
	}
	stop := context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Canceled) })
	return &http.Response{StatusCode: reply.status, Header: reply.header, Body: body{in, func() { stop(); cancel() }}, Request: r}, nil
}

type body struct {
	io.ReadCloser
	done func()
}

func (b body) Close() error {
	b.done()
	return b.ReadCloser.Close()
}

type replyWriter struct {
	out    *io.PipeWriter
	header http.Header
	once   sync.Once
	begun  chan struct{}
	status int
	failed bool
}

func (w *replyWriter) Header() http.Header { return w.header }

func (w *replyWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.begun)
	})
}

func (w *replyWriter) fail() {
	w.once.Do(func() {
		w.failed = true
		close(w.begun)
	})
}

func (w *replyWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.out.Write(p)
}

func (w *replyWriter) Flush() {}

// switched is an address at which servers come and go.
type switched struct {
	mu sync.Mutex
	to http.Handler
}

func (s *switched) set(to http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

func (s *switched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	to := s.to
	s.mu.Unlock()
	to.ServeHTTP(w, r)
}

// fixture is a host that is attached to a simulated server, in virtual time.
type fixture struct {
	*modelhost.Host
	t   *testing.T
	sim *simrt.Server
	at  *switched
	// stop ends Run and waits for it.
	stop func()
}

func contains(text, part string) bool { return strings.Contains(text, part) }

// simulation is a server as the fixture has it.
func simulation() simrt.Options {
	return simrt.Options{Clock: clock.System(), Models: models(), VRAM: card, RAM: card}
}

// ollamaClient is another client of the fixture's server.
func ollamaClient(f *fixture) *ollama.Client {
	return ollama.New(ollama.Options{URL: "http://server", Clock: clock.System(), HTTP: &http.Client{Transport: wire{f.at}}})
}

func drainChanged(f *fixture) {
	select {
	case <-f.Changed():
	default:
	}
}

const card = int64(24 * candor.GiB)

func models() []simrt.Model {
	return []simrt.Model{
		{Name: "alpha", Size: 4 << 30, PerToken: 1 << 10, LoadTime: 20 * time.Second, Rate: 40, Length: 60},
		{Name: "beta", Size: 5 << 30, PerToken: 1 << 10, LoadTime: 25 * time.Second, Rate: 30},
		{Name: "gamma", Size: 20 << 30, PerToken: 1 << 10, LoadTime: 60 * time.Second, Rate: 10},
		{Name: "endless", Size: 1 << 30, PerToken: 1 << 10, LoadTime: 5 * time.Second, Rate: 50, Endless: true},
		{Name: "broken", Size: 1 << 30, Broken: true},
	}
}

// within runs a test in virtual time with a host that runs.
func within(t *testing.T, o modelhost.Options, s simrt.Options, test func(t *testing.T, f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		s.Clock = clock.System()
		usual := simulation()
		if s.Models == nil {
			s.Models = usual.Models
		}
		s.VRAM, s.RAM = usual.VRAM, usual.RAM
		if o.Slots == 0 {
			o.Slots = max(1, s.Slots) // what the server is told
		}
		f := &fixture{t: t, sim: simrt.New(s), at: &switched{}}
		f.at.set(f.sim)
		o.Name, o.Kind, o.Clock, o.URL = "worker-1", runtime.Ollama, clock.System(), "http://server"
		o.Server = ollama.New(ollama.Options{URL: o.URL, Clock: o.Clock, HTTP: &http.Client{Transport: wire{f.at}}})
		h, err := modelhost.New(o)
		if err != nil {
			t.Fatal(err)
		}
		f.Host = h
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- h.Run(ctx) }()
		f.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ran; err != nil {
				t.Error(err)
			}
		})
		defer f.stop()
		test(t, f)
	})
}

// passes lets virtual time pass.
func passes(d time.Duration) { time.Sleep(d) }

// until waits, in virtual time, for what Serving is to show.
func (f *fixture) until(what string, ok func(candor.Serving) bool) candor.Serving {
	f.t.Helper()
	deadline := time.Now().Add(time.Hour)
	for {
		s := f.Serving()
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("waited an hour: %s; is %+v", what, s)
		}
		passes(100 * time.Millisecond)
	}
}

func up(s candor.Serving) bool { return s.State == candor.ServerUp }

func ready(name string) func(candor.Serving) bool {
	return func(s candor.Serving) bool {
		m := find(s.Models, name)
		return m != nil && m.Ready
	}
}

func find(all []candor.ServedModel, name string) *candor.ServedModel {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func names(all []candor.ServedModel) string {
	var out []string
	for _, m := range all {
		out = append(out, m.Name)
	}
	return strings.Join(out, " ")
}

// order carries out an order that is expected to go well.
func (f *fixture) order(kind candor.OrderKind, model string, evict ...string) candor.OrderResult {
	f.t.Helper()
	f.until("the server is up", up)
	r, err := f.Do(f.t.Context(), candor.Order{Kind: kind, Model: model, Evict: evict}, nil)
	if err != nil {
		f.t.Fatalf("%s %s: %v", kind, model, err)
	}
	return r
}

func (f *fixture) borrow(model string) *modelhost.Loan {
	f.t.Helper()
	loan, err := f.Borrow(f.t.Context(), modelhost.Want{Model: model}, nil)
	if err != nil {
		f.t.Fatalf("borrow %s: %v", model, err)
	}
	return loan
}

// ask has a borrowed model answer a short question.
func ask(ctx context.Context, loan *modelhost.Loan, tokens int) (runtime.Answer, error) {
	return loan.Server.Generate(ctx, runtime.Request{
		Model: loan.Model, Settings: loan.Settings, MaxTokens: tokens,
		Messages: []runtime.Message{{Role: "user", Text: "Tell me something."}},
	}, nil)
}

// wantCode fails the test unless err has the code and all the words.
func wantCode(t *testing.T, err error, code runtime.Code, words ...string) {
	t.Helper()
	if runtime.CodeOf(err) != code {
		t.Fatalf("error %v (code %q), want code %q", err, runtime.CodeOf(err), code)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q lacks %q", err.Error(), w)
		}
	}
}
