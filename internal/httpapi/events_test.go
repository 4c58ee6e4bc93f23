package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/client"
	"candor/internal/clock"
)

var errEnough = errors.New("enough")

// collect follows until n events have come, and returns their seqs.
func collect(t *testing.T, c *client.Client, q candor.EventQuery, n int) []int64 {
	t.Helper()
	var got []int64
	err := c.Follow(t.Context(), q, func(e candor.Event) error {
		if got = append(got, e.Seq); len(got) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("follow: %v, after %v", err, got)
	}
	return got
}

func span(from, to int64) []int64 {
	var seqs []int64
	for s := from; s <= to; s++ {
		seqs = append(seqs, s)
	}
	return seqs
}

func eventsOf(from, to int64) []candor.Event {
	var list []candor.Event
	for _, s := range span(from, to) {
		list = append(list, event(s))
	}
	return list
}

// commit puts events where the real brain does: first the store, then the window.
func commit(b *brain, s *shelf, events ...candor.Event) {
	s.record(events...)
	b.tell(events...)
}

func TestStreamJoinsStoreAndWindow(t *testing.T) {
	r := start(t, "", nil)
	commit(r.brain, r.shelf, eventsOf(1, 2600)...)
	r.brain.forget(2500) // several pages are in the store only
	c := r.client(t, "")
	if diff := cmp.Diff(span(1, 2600), collect(t, c, candor.EventQuery{}, 2600)); diff != "" {
		t.Errorf("from the beginning (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(span(2591, 2600), collect(t, c, candor.EventQuery{Last: 10}, 10)); diff != "" {
		t.Errorf("the last ten (-want +got):\n%s", diff)
	}
	var odd []int64
	for s := int64(2401); s < 2600; s += 2 {
		odd = append(odd, s)
	}
	if diff := cmp.Diff(odd, collect(t, c, candor.EventQuery{After: 2400, Worker: "worker-1", Level: candor.LevelInfo}, len(odd))); diff != "" {
		t.Errorf("of one worker (-want +got):\n%s", diff)
	}
}

func TestStreamFromNowTellsWhatComes(t *testing.T) {
	r := start(t, "", nil)
	commit(r.brain, r.shelf, eventsOf(1, 5)...)
	got := make(chan int64, 1) // the first is enough
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := r.client(t, "")
	done := make(chan error, 1)
	go func() {
		done <- c.Follow(ctx, candor.EventQuery{After: candor.FromNow}, func(e candor.Event) error {
			select {
			case got <- e.Seq:
			default:
			}
			return nil
		})
	}()
	// Events go on until the first arrives: only then the stream surely stands.
	seq := int64(5)
	var first int64
	for first == 0 {
		seq++
		commit(r.brain, r.shelf, event(seq))
		select {
		case first = <-got:
		default:
		}
	}
	if first <= 5 {
		t.Errorf("got event %d, which was before", first)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}

// TestFollowSurvivesRestarts kills the server in the middle of the stream, again
// and again, on the same port; nothing may be lost or doubled.
func TestFollowSurvivesRestarts(t *testing.T) {
	b, s := newBrain(), newShelf()
	r := startWith(t, "", nil, b, s)
	addr := strings.TrimPrefix(r.url, "http://")
	var drops []client.Reconnect
	c := newClient(t, client.Options{URL: r.url, Reconnected: func(d client.Reconnect) { drops = append(drops, d) }})
	const rounds, each = 4, 50
	commit(b, s, eventsOf(1, each)...)
	var got []int64
	err := c.Follow(t.Context(), candor.EventQuery{}, func(e candor.Event) error {
		got = append(got, e.Seq)
		n := len(got)
		switch {
		case n == rounds*each:
			return errEnough
		case n%each == 0:
			r.stop()
			commit(b, s, eventsOf(int64(n+1), int64(n+each))...)
			b.forget(int64(n + each/2))
			r = startWith(t, addr, nil, b, s)
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(span(1, rounds*each), got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(drops) < rounds-1 || drops[0].After != each || drops[0].Cause == nil || drops[0].Tries != 1 {
		t.Errorf("told of %d reconnects, the first %+v", len(drops), drops[0])
	}
}

// cutter passes bytes between a client and a server and cuts after a few, so
// that streams break in the middle of events.
func cutter(t *testing.T, target string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for size := 700; ; size += 137 {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil {
				_ = in.Close()
				continue
			}
			over := context.AfterFunc(t.Context(), func() { _ = out.Close() })
			req, err := http.ReadRequest(bufio.NewReader(in))
			if err == nil {
				req.Host = "localhost"
				err = req.Write(out)
			}
			buf := make([]byte, size)
			for left := size; err == nil && left > 0; {
				var n int
				n, err = out.Read(buf[:left])
				_, _ = in.Write(buf[:n])
				left -= n
			}
			over()
			_ = in.Close()
			_ = out.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestFollowSurvivesCutsAnywhere(t *testing.T) {
	r := start(t, "", nil)
	commit(r.brain, r.shelf, eventsOf(1, 60)...)
	c := newClient(t, client.Options{URL: cutter(t, strings.TrimPrefix(r.url, "http://"))})
	if diff := cmp.Diff(span(1, 60), collect(t, c, candor.EventQuery{}, 60)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestFollowGivesUpWhereTryingAgainIsNoUse(t *testing.T) {
	r := start(t, "", tokens(t))
	wantCode(t, r.client(t, "").Follow(t.Context(), candor.EventQuery{}, nil), candor.CodeUnauthorized)
	wantCode(t, r.client(t, candor.RoleViewer).Follow(t.Context(), candor.EventQuery{Level: "LOUD"}, nil), candor.CodeInvalid)
	r.stop()
	wantCode(t, r.client(t, candor.RoleViewer).Follow(t.Context(), candor.EventQuery{}, nil), candor.CodeUnavailable)
}

// A follower that reads nothing must not hold up the brain or other followers.
func TestSlowFollowerHoldsUpNobody(t *testing.T) {
	r := start(t, "", nil)
	slow, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	if _, err := fmt.Fprintf(slow, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	const n = 20_000 // more than the buffers between the two can take
	big := eventsOf(1, n)
	for i := range big {
		big[i].Text = strings.Repeat("x", 1000)
	}
	for page := range slices.Chunk(big, 500) {
		commit(r.brain, r.shelf, page...)
		r.brain.forget(page[0].Seq - 1)
	}
	if got := collect(t, r.client(t, ""), candor.EventQuery{}, n); got[n-1] != n {
		t.Errorf("the other follower got up to %d", got[n-1])
	}
}

// hasty is a clock that is a minute ahead each time one looks.
type hasty struct {
	clock.Clock
	looks atomic.Int64
}

func (h *hasty) Now() time.Time {
	return h.Clock.Now().Add(time.Duration(h.looks.Add(1)) * time.Minute)
}

// A follower of little must hear something, however much else happens.
func TestStreamWithoutMatchesGivesSignsOfLife(t *testing.T) {
	b, s := newBrain(), newShelf()
	r := startAt(t, "", nil, b, s, &hasty{Clock: clock.System()})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/v1/events?worker=nobody", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	lines := bufio.NewScanner(do(t, req).Body)
	commit(b, s, event(1))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			t.Fatalf("an event that does not match: %s", lines.Text())
		}
		if lines.Text() == "id: 1" {
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}
