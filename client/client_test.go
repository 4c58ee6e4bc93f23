package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, opts client.Options) *client.Client {
	t.Helper()
	c, err := client.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve answers by h on a real socket.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func wantError(t *testing.T, err error, code candor.Code, hint string) {
	t.Helper()
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || e.Code != code || !strings.Contains(e.Hint, hint) {
		t.Errorf("error is %#v, want code %s and hint %q", err, code, hint)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{free, "unix://" + filepath.Join(t.TempDir(), "none.sock")} {
		_, err := newClient(t, client.Options{URL: url}).Status(t.Context())
		wantError(t, err, candor.CodeUnavailable, "candor up")
		if !strings.Contains(err.Error(), url) {
			t.Errorf("%v does not name %s", err, url)
		}
	}
}

// A stopped process still accepts connections: its kernel does.
func TestSilentServerIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c := newClient(t, client.Options{URL: "http://" + l.Addr().String(), Timeout: 50 * time.Millisecond})
	for name, call := range map[string]func() error{
		"call": func() error { _, err := c.Status(t.Context()); return err },
		"poll": func() error {
			_, err := c.Claim(t.Context(), "w", candor.ClaimRequest{Wait: candor.Duration(50 * time.Millisecond)})
			return err
		},
		"log":    func() error { _, _, err := c.Log(t.Context(), "t_1", candor.LogQuery{}); return err },
		"follow": func() error { return c.Follow(t.Context(), candor.EventQuery{}, nil) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "has not answered for") {
			t.Errorf("%s: %v", name, err)
		} else {
			wantError(t, err, candor.CodeUnavailable, "stopped or stuck")
		}
	}
}

// pipeTo makes a client whose connections are in-memory pipes to a server, so
// that a synctest bubble's clock runs.
func pipeTo(t *testing.T, opts client.Options, h http.HandlerFunc) *client.Client {
	t.Helper()
	opts.URL = "http://brain"
	c := newClient(t, opts)
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	client.DialWith(c, func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		l.conns <- far
		return near, nil
	})
	return c
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestLongPollMayTakeItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := 50 * time.Second
		c := pipeTo(t, client.Options{Timeout: 10 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-time.After(held):
				_, _ = io.WriteString(w, `{}`)
			case <-r.Context().Done():
			}
		})
		ask := func() error {
			_, err := c.Claim(t.Context(), "w", candor.ClaimRequest{Wait: candor.Duration(45 * time.Second)})
			return err
		}
		if err := ask(); err != nil {
			t.Errorf("held for less than wait and timeout: %v", err)
		}
		held = time.Hour
		start := time.Now()
		wantError(t, ask(), candor.CodeUnavailable, "stuck")
		if took := time.Since(start); took != 55*time.Second {
			t.Errorf("given up after %v, want 55s", took)
		}
		c.Close()
	})
}

func TestSilentStreamIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streams atomic.Int32
		var drops []client.Reconnect
		stop := errors.New("stop")
		c := pipeTo(t, client.Options{Reconnected: func(d client.Reconnect) { drops = append(drops, d) }}, func(w http.ResponseWriter, r *http.Request) {
			if n := streams.Add(1); n == 2 && r.Header.Get("Last-Event-ID") != "7" {
				t.Errorf("came back with %q, want 7", r.Header.Get("Last-Event-ID"))
			} else if n == 1 {
				_, _ = io.WriteString(w, "id: 5\ndata: {\"seq\":5}\n\n: here\nid: 7\n\nid: 8\ndata: {\"seq\":8")
			} else {
				_, _ = io.WriteString(w, "id: 5\ndata: {\"seq\":5}\n\nid: 9\ndata: {\"seq\":9}\n\n")
			}
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		var got []int64
		err := c.Follow(t.Context(), candor.EventQuery{}, func(e candor.Event) error {
			if got = append(got, e.Seq); e.Seq == 9 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || len(got) != 2 || got[0] != 5 || got[1] != 9 {
			t.Errorf("got %v, %v; want 5 and 9, each once", got, err)
		}
		if len(drops) != 1 || drops[0].After != 7 || candor.CodeOf(drops[0].Cause) != candor.CodeUnavailable {
			t.Errorf("told of %+v", drops)
		}
		c.Close()
	})
}

func TestTheCallersEndIsTold(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := newClient(t, client.Options{URL: url})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Status(ctx)
	wantError(t, err, candor.CodeInterrupted, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = c.Status(ctx)
	wantError(t, err, candor.CodeTimeout, "")
}

func TestWhatIsNoBrain(t *testing.T) {
	for name, tc := range map[string]struct {
		h    http.HandlerFunc
		code candor.Code
	}{
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, candor.CodeUnavailable},
		"a proxy":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, candor.CodeUnavailable},
		"not found": {func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, candor.CodeNotFound},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/", http.StatusFound)
		}, candor.CodeUnavailable},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, "{")
		}, candor.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, client.Options{URL: serve(t, tc.h)}).Status(t.Context())
			wantError(t, err, tc.code, "")
		})
	}
}

func TestBadOptions(t *testing.T) {
	for _, url := range []string{"", "brain", "ftp://x", "http://", "http://x/path", "unix://", "unix://host/x", "::"} {
		_, err := client.New(client.Options{URL: url})
		wantError(t, err, candor.CodeInvalid, "http://")
	}
	_, err := client.New(client.Options{URL: "http://x", TokenFile: filepath.Join(t.TempDir(), "none")})
	wantError(t, err, candor.CodeInvalid, "")
}

func TestTokenAndAgentAreSent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("worker 0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var auth, agent atomic.Value
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		auth.Store(r.Header.Get("Authorization"))
		agent.Store(r.UserAgent())
		_, _ = io.WriteString(w, "{}")
	})
	if _, err := newClient(t, client.Options{URL: url, TokenFile: file, UserAgent: "candor-worker/1"}).Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if auth.Load() != "Bearer 0123456789abcdef" || agent.Load() != "candor-worker/1" {
		t.Errorf("sent %v, %v", auth.Load(), agent.Load())
	}
}

func FuzzStream(f *testing.F) {
	f.Add("id: 5\ndata: {\"seq\":5}\n\n: here\nid: 7\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := client.ReadEvents(strings.NewReader(text)); err == nil {
			t.Error("a stream ended without saying so")
		}
	})
}
