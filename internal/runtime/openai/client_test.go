package openai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// late is the machine's clock, some time ahead.
type late struct {
	clock.Clock
	by *atomic.Int64 // nanoseconds
}

func (l late) Now() time.Time { return l.Clock.Now().Add(time.Duration(l.by.Load())) }

// service is a server of models a (which it holds, with its context) and b.
type service struct {
	url string

	mu    sync.Mutex
	asked []string // paths, in order
	keys  []string
}

const listed = `{"object":"list","data":[{"id":"b","owned_by":"me"},{"id":"a","owned_by":"me","max_model_len":2048}]}`

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked, s.keys = append(s.asked, r.URL.Path), append(s.keys, r.Header.Get("Authorization"))
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1/models" {
			_, _ = io.WriteString(w, listed)
			return
		}
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

// heard is what was asked so far, and the last key.
func (s *service) heard() (asked []string, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) > 0 {
		key = s.keys[len(s.keys)-1]
	}
	return slices.Clone(s.asked), key
}

func (s *service) client(t *testing.T, o Options) *Client {
	t.Helper()
	o.URL = s.url + "/v1/"
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func load(model string, context int) runtime.LoadRequest {
	return runtime.LoadRequest{Model: model, Settings: runtime.Settings{Context: context}}
}

// What a server lists with its context is loaded; the others are for a while
// after they have answered.
func TestWhatIsLoaded(t *testing.T) {
	var ahead atomic.Int64
	c := serve(t).client(t, Options{Clock: late{clock.System(), &ahead}, Context: 1024})
	names := func() string {
		all, err := c.Loaded(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range all {
			names = append(names, r.Model)
		}
		return strings.Join(names, " ")
	}
	if got := names(); got != "a" {
		t.Errorf("at first: %s", got)
	}
	change, err := c.Load(t.Context(), load("b:latest", 1024))
	if err != nil || !change.Changed || names() != "a b" {
		t.Errorf("after a load: %s, %+v, %v", names(), change, err)
	}
	ahead.Store(int64(DefaultLately))
	if got := names(); got != "a" {
		t.Errorf("later: %s", got)
	}
}

// A prompt that is cut in silence is seen only by one who knows the context.
func TestContextHasToBeVouchedFor(t *testing.T) {
	s := serve(t)
	for name, c := range map[string]struct {
		client *Client
		model  string
		wanted int
		code   runtime.Code
	}{
		"the server says it":       {s.client(t, Options{}), "a", 2048, ""},
		"and it is too short":      {s.client(t, Options{Context: 9000}), "a", 4096, runtime.CodeContextShort},
		"nobody says it":           {s.client(t, Options{}), "b", 1, runtime.CodeContextShort},
		"who attached it says it":  {s.client(t, Options{Context: 4096}), "b", 4096, ""},
		"says it, and it is short": {s.client(t, Options{Context: 4096}), "b", 4097, runtime.CodeContextShort},
		"nobody has that model":    {s.client(t, Options{}), "c", 1, runtime.CodeMissing},
		"no context is asked for":  {s.client(t, Options{}), "a", 0, runtime.CodeRefused},
	} {
		if _, err := c.client.Load(t.Context(), load(c.model, c.wanted)); runtime.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
		}
	}
}

// Some servers answer to every name with what they have.
func TestAModelThatIsNotListedIsNotAsked(t *testing.T) {
	s := serve(t)
	c := s.client(t, Options{})
	r := runtime.Request{Model: "c", Settings: runtime.Settings{Context: 10}, MaxTokens: 1, Messages: []runtime.Message{{Role: "user", Text: "x"}}}
	_, err := c.Generate(t.Context(), r, nil)
	if asked, _ := s.heard(); runtime.CodeOf(err) != runtime.CodeMissing || len(asked) != 1 {
		t.Errorf("%v, asked %v", err, asked)
	}
}

func TestKey(t *testing.T) {
	s, path := serve(t), filepath.Join(t.TempDir(), "key")
	c := s.client(t, Options{KeyFile: path})
	_, err := c.List(t.Context())
	if asked, _ := s.heard(); runtime.CodeOf(err) != runtime.CodeRefused || len(asked) != 0 {
		t.Errorf("no file: %v, asked %v", err, asked)
	}
	for _, key := range []string{"sk-old", "sk-new"} { // replaced while the worker runs
		if err := os.WriteFile(path, []byte(key+"\nsomething else\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := c.List(t.Context())
		if _, sent := s.heard(); err != nil || sent != "Bearer "+key {
			t.Errorf("%v, sent %q", err, sent)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context()); runtime.CodeOf(err) != runtime.CodeRefused {
		t.Errorf("empty file: %v", err)
	}
}

func TestWhoAnswers(t *testing.T) {
	id, err := serve(t).client(t, Options{}).Identify(t.Context())
	if err != nil || id.Kind != runtime.OpenAI || !strings.Contains(id.Version, "me") || strings.Contains(id.URL, "/v1") {
		t.Errorf("%+v, %v", id, err)
	}
	for _, body := range []string{`{"hello":"world"}`, `<html>`} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		c := New(Options{URL: web.URL, Clock: clock.System()})
		if _, err := c.Identify(t.Context()); runtime.CodeOf(err) != runtime.CodeNotOurs {
			t.Errorf("%s: %v", body, err)
		}
		c.Close()
		web.Close()
	}
}

// The order's time is up before a token came.
func TestLoadExpires(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			_, _ = io.WriteString(w, listed)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer web.Close()
	c := New(Options{URL: web.URL, Clock: clock.System()})
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Load(ctx, load("a", 10))
	if runtime.CodeOf(err) != runtime.CodeLoading || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
