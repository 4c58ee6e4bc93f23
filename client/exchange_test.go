package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"candor"
	"candor/client"
)

// brainFor serves claims on a socket: lease n goes to the nth of them.
type brainFor struct {
	srv    *httptest.Server
	lines  atomic.Int64 // connections that were opened
	claims atomic.Int64
}

func (b *brainFor) serve(t *testing.T, network, address string, h http.HandlerFunc) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	b.srv = &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			b.lines.Add(1)
		}
	}}}
	b.srv.Start()
	t.Cleanup(b.srv.Close)
}

func (b *brainFor) answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	assign(w, b.claims.Add(1))
}

func assign(w http.ResponseWriter, lease int64) {
	_, _ = fmt.Fprintf(w, `{"tasks":[{"task":%q,"lease":%d}]}`, candor.TaskID(1), lease)
}

// lease claims one task; 0 if it got none, which it tells.
func lease(t *testing.T, c *client.Client) int64 {
	t.Helper()
	reply, err := c.Claim(t.Context(), "w", candor.ClaimRequest{Session: 1, Max: 1})
	if err != nil || len(reply.Tasks) != 1 {
		t.Errorf("%+v %v", reply, err)
		return 0
	}
	return reply.Tasks[0].Lease
}

// leases claims n times in a row, and wants an answer of its own for each.
func leases(t *testing.T, c *client.Client, n int64) {
	t.Helper()
	for want := int64(1); want <= n; want++ {
		if got := lease(t, c); got != want {
			t.Fatalf("lease %d, want %d", got, want)
		}
	}
}

// TestClaimsShareALine: one caller needs one connection, and as many callers at
// once as many, each with its own answer.
func TestClaimsShareALine(t *testing.T) {
	var b brainFor
	b.serve(t, "tcp", "127.0.0.1:0", b.answer)
	c := newClient(t, client.Options{URL: b.srv.URL})
	leases(t, c, 20)
	if n := b.lines.Load(); n != 1 {
		t.Errorf("%d connections for 20 claims in a row", n)
	}
	var wg sync.WaitGroup
	var seen sync.Map
	for range 8 {
		wg.Go(func() {
			for range 50 {
				n := lease(t, c)
				if _, twice := seen.LoadOrStore(n, true); twice {
					t.Errorf("the answer with lease %d came to two claims", n)
				}
			}
		})
	}
	wg.Wait()
	if n := b.lines.Load(); n > 8 {
		t.Errorf("%d connections for 8 callers", n)
	}
}

// TestAGivenUpClaim ends at once, and its late answer is nobody's.
func TestAGivenUpClaim(t *testing.T) {
	var b brainFor
	release, asked := make(chan struct{}), make(chan struct{})
	b.serve(t, "tcp", "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		if b.claims.Load() == 1 {
			_, _ = io.Copy(io.Discard, r.Body)
			b.claims.Add(1)
			close(asked)
			<-release
			assign(w, 2)
			return
		}
		b.answer(w, r)
	})
	defer close(release)
	c := newClient(t, client.Options{URL: b.srv.URL})
	if got := lease(t, c); got != 1 {
		t.Fatalf("lease %d", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the worker shuts down")
	go func() { <-asked; cancel(why) }()
	_, err := c.Claim(ctx, "w", candor.ClaimRequest{Session: 1, Max: 1, Wait: candor.Duration(time.Hour)})
	wantError(t, err, candor.CodeInterrupted, "")
	if !errors.Is(err, why) {
		t.Errorf("%v does not say why", err)
	}
	if got := lease(t, c); got != 3 {
		t.Errorf("lease %d: the answer to the claim that was given up", got)
	}
}

// TestClaimsAfterANewBrain go on: what the closed line could not take has not
// been seen, so it is sent again.
func TestClaimsAfterANewBrain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var old, fresh brainFor
	old.serve(t, "unix", path, old.answer)
	c := newClient(t, client.Options{URL: "unix://" + path})
	lease(t, c)
	old.srv.CloseClientConnections()
	old.srv.Close()
	_, err := c.Claim(t.Context(), "w", candor.ClaimRequest{Session: 1, Max: 1})
	wantError(t, err, candor.CodeUnavailable, "candor up")
	fresh.serve(t, "unix", path, fresh.answer)
	if got := lease(t, c); got != 1 {
		t.Errorf("lease %d", got)
	}
	fresh.srv.CloseClientConnections() // the line breaks, the brain stays
	if got := lease(t, c); got != 2 {
		t.Errorf("lease %d", got)
	}
}

// TestAnAnswerWithoutEnd is no brain's, and fills no memory.
func TestAnAnswerWithoutEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: ")
		for text := strings.Repeat("x", 64<<10); sent.Load() < 64<<20; {
			n, err := io.WriteString(conn, text)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	c := newClient(t, client.Options{URL: "http://" + l.Addr().String()})
	_, err = c.Claim(t.Context(), "w", candor.ClaimRequest{Session: 1, Max: 1})
	wantError(t, err, candor.CodeUnavailable, "")
	<-done
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := sent.Load(); n >= 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

// TestARefusedClaim is told as the brain says it, however long the claim was.
func TestARefusedClaim(t *testing.T) {
	var b brainFor
	b.serve(t, "tcp", "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { // the body is not read
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":"auth.unauthorized","detail":"no such token"}`)
	})
	c := newClient(t, client.Options{URL: b.srv.URL})
	for _, length := range []int{0, 100 << 10, 200 << 10, 900 << 10, 2 << 20} {
		results := []candor.Result{{Task: 1, Lease: 1, Outcome: candor.AttemptFailed, Reason: candor.NewReason(candor.ReasonHostFault, strings.Repeat("x", length))}}
		_, err := c.Claim(t.Context(), "w", candor.ClaimRequest{Session: 1, Max: 1, Results: results})
		if err == nil || !strings.Contains(err.Error(), "no such token") {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}

// TestABrainThatEndsTheLine after an answer gets a new one.
func TestABrainThatEndsTheLine(t *testing.T) {
	var b brainFor
	b.serve(t, "tcp", "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		b.answer(w, r)
	})
	c := newClient(t, client.Options{URL: b.srv.URL})
	leases(t, c, 3)
	if n := b.lines.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
}
