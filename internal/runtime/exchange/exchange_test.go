package exchange

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor/internal/clock"
	"candor/internal/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	lines := bufio.NewReader(strings.NewReader("a\n\r\n  \nb\r\n" + long + "\nlast"))
	for _, want := range []string{"a", "b", long} {
		if got, err := ReadLine(lines); err != nil || string(got) != want {
			t.Fatalf("%.20q, %v, want %.20q", got, err, want)
		}
	}
	if got, err := ReadLine(lines); !errors.Is(err, io.EOF) || string(got) != "last" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ReadLine(lines); !errors.Is(err, io.EOF) || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
}

func peer(t *testing.T, answer http.HandlerFunc) Peer {
	t.Helper()
	web := httptest.NewServer(answer)
	p := Peer{URL: web.URL, HTTP: NewHTTP(nil), Clock: clock.System()}
	t.Cleanup(func() {
		p.HTTP.CloseIdleConnections()
		web.CloseClientConnections()
		web.Close()
	})
	return p
}

// What ends an exchange early is told apart.
func TestHowAnExchangeEnds(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	_, err := peer(t, silent).Call(t.Context(), 50*time.Millisecond, http.MethodGet, "/", nil)
	if runtime.CodeOf(err) != runtime.CodeHung {
		t.Errorf("silent: %v", err)
	}
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	_, err = peer(t, broken).Call(t.Context(), time.Minute, http.MethodGet, "/", nil)
	if runtime.CodeOf(err) != runtime.CodeGone {
		t.Errorf("broken: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = peer(t, silent).Call(ctx, time.Minute, http.MethodGet, "/", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the caller left: %v", err)
	}
	p := peer(t, silent)
	p.Header = func(http.Header) error { return runtime.Refuse("no key") }
	_, err = p.Call(t.Context(), time.Minute, http.MethodGet, "/", nil)
	if runtime.CodeOf(err) != runtime.CodeRefused {
		t.Errorf("no key: %v", err)
	}
}

// The end of the caller's time means two things.
func TestUnanswered(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := Peer{URL: "http://nowhere", Clock: clock.System()}
	dog := p.Watch(ctx, time.Minute)
	defer dog.Stop()
	cancel(context.DeadlineExceeded)
	if err := p.Unanswered(dog, "m", 0, io.ErrUnexpectedEOF); runtime.CodeOf(err) != runtime.CodeHung {
		t.Errorf("without tokens: %v", err)
	}
	if err := p.Unanswered(dog, "m", 3, io.ErrUnexpectedEOF); runtime.CodeOf(err) != runtime.CodeRunaway {
		t.Errorf("with tokens: %v", err)
	}
}

// Prompts do not follow a server that sends them elsewhere.
func TestNobodyIsFollowed(t *testing.T) {
	p := peer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	reply, err := p.Call(t.Context(), time.Minute, http.MethodPost, "/", "prompt")
	if err != nil || reply.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("%v, %v", reply.Response, err)
	}
}
