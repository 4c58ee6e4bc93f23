package llamaserver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// router plays a router with one model, as far as orders go.
type router struct {
	mu     sync.Mutex
	status string   // of the model
	next   string   // what a load ends in
	busy   bool     // a slot works for somebody
	orders []string // paths, in order
}

func (f *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case pathProps:
		_, _ = io.WriteString(w, `{"role":"router","build_info":"b1"}`)
	case pathModels:
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"m","status":{"value":%q},"context_length":4096}]}`, f.status)
	case pathSlots:
		_ = json.NewEncoder(w).Encode([]map[string]bool{{"is_processing": f.busy}})
	case pathLoad, pathUnload:
		f.orders = append(f.orders, r.URL.Path)
		f.status = map[string]string{pathLoad: f.next, pathUnload: statusUnloaded}[r.URL.Path]
		_, _ = io.WriteString(w, `{"success":true}`)
	default:
		http.NotFound(w, r)
	}
}

func (f *router) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *router) ordered() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.orders)
}

func attached(t *testing.T, h http.Handler) *Client {
	t.Helper()
	web := httptest.NewServer(h)
	c := New(Options{URL: web.URL, Clock: clock.System(), Poll: 5 * time.Millisecond})
	t.Cleanup(func() {
		c.Close()
		web.CloseClientConnections()
		web.Close()
	})
	return c
}

func loading() runtime.LoadRequest {
	return runtime.LoadRequest{Model: "m", Settings: runtime.Settings{Context: 512}}
}

// Nobody waits for it any more, so it would only take somebody's room.
func TestLoadOutOfTimeIsUndone(t *testing.T) {
	f := &router{status: statusUnloaded, next: statusLoading}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := attached(t, f).Load(ctx, loading())
	if runtime.CodeOf(err) != runtime.CodeLoading {
		t.Errorf("%v", err)
	}
	if got := f.ordered(); !slices.Equal(got, []string{pathLoad, pathUnload}) {
		t.Errorf("orders %v", got)
	}
}

// Somebody else's load is not ours to undo.
func TestLoadOfOthersIsNotUndone(t *testing.T) {
	f := &router{status: statusLoading}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := attached(t, f).Load(ctx, loading()); runtime.CodeOf(err) != runtime.CodeLoading {
		t.Errorf("%v", err)
	}
	if got := f.ordered(); len(got) != 0 {
		t.Errorf("orders %v", got)
	}
}

// The router would end the answers of other clients with the model.
func TestUnloadWaitsForOthers(t *testing.T) {
	f := &router{status: statusLoaded, busy: true}
	c := attached(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Unload(ctx, "m"); runtime.CodeOf(err) != runtime.CodeHeld || len(f.ordered()) != 0 {
		t.Errorf("%v, orders %v", err, f.ordered())
	}
	f.set(func() { f.busy = false })
	change, err := c.Unload(t.Context(), "m:latest")
	if err != nil || !change.Changed || !slices.Equal(f.ordered(), []string{pathUnload}) {
		t.Errorf("%+v, %v, orders %v", change, err, f.ordered())
	}
}

// A server of one model does not name it before it has loaded it.
func TestLoadWaitsForAServerThatStarts(t *testing.T) {
	var mu sync.Mutex
	starting := 3
	c := attached(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		starting--
		w.Header().Set("Content-Type", "application/json")
		switch {
		case starting >= 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`)
		case r.URL.Path == pathModels:
			_, _ = io.WriteString(w, `{"data":[{"id":"m","meta":{"n_ctx":512,"size":7}}]}`)
		default:
			_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n")
		}
	}))
	if all, err := c.Loaded(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("while it starts: %v, %v", all, err)
	}
	change, err := c.Load(t.Context(), loading())
	if err != nil || len(change.After) != 1 || change.After[0].Size != 7 {
		t.Errorf("%+v, %v", change, err)
	}
}

// A context that the model was not made for is refused before anything leaves
// for it.
func TestContextBeyondTheModel(t *testing.T) {
	f := &router{status: statusUnloaded}
	r := loading()
	r.Settings.Context = 5000
	if _, err := attached(t, f).Load(t.Context(), r); runtime.CodeOf(err) != runtime.CodeContextShort || len(f.ordered()) != 0 {
		t.Errorf("%v, orders %v", err, f.ordered())
	}
}

func TestAnotherProgramOnThePort(t *testing.T) {
	for _, body := range []string{`{"version":"0.17.4"}`, `<html>hello</html>`} {
		c := attached(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if _, err := c.Identify(t.Context()); runtime.CodeOf(err) != runtime.CodeNotOurs {
			t.Errorf("%s: %v", body, err)
		}
	}
	c := attached(t, http.NotFoundHandler())
	if _, err := c.Identify(t.Context()); runtime.CodeOf(err) != runtime.CodeNotOurs {
		t.Errorf("nothing there: %v", err)
	}
}

// A server of one model says how many requests it answers at once; a router
// speaks for none of its models.
func TestSlotsByTheServersAccount(t *testing.T) {
	one := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"build_info":"b1","total_slots":3}`)
	})
	for want, h := range map[int]http.Handler{3: one, 0: &router{}} {
		id, err := attached(t, h).Identify(t.Context())
		if err != nil || id.Slots != want {
			t.Errorf("%+v, %v, want %d slots", id, err, want)
		}
	}
}
