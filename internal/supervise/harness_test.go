//go:build linux || darwin

package supervise

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/internal/clock"
	"candor/internal/process"
)

const patience = 20 * time.Second

// The test binary is its own cast of children: SUPERVISE_TEST_PART selects the part.
func TestMain(m *testing.M) {
	dir := os.Getenv("SUPERVISE_TEST_DIR")
	switch part := os.Getenv("SUPERVISE_TEST_PART"); part {
	case "":
		goleak.VerifyTestMain(m)
	case "supervisor":
		o := Options{Name: "up", StateDir: dir, Log: slog.New(slog.DiscardHandler), Children: []Child{
			child(dir, "worker-1", "orphan", func(c *Child) { c.LogFile, c.Console = filepath.Join(dir, "w.log"), os.Stdout }),
		}}
		_ = Run(context.Background(), o)
	case "orphan":
		gone, err := Orphaned(context.Background(), clock.System(), os.Getenv)
		if err != nil || gone == nil {
			os.Exit(9)
		}
		note(dir, "pids", os.Getpid())
		<-gone
		fmt.Println("writing into the dead supervisor's pipe") // would end a process that knows no better
		note(dir, "orphaned", os.Getpid())
	case "worker":
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM) // before the note: who reads it may send TERM at once
		note(dir, "pids", os.Getpid())
		fmt.Println("up")
		fmt.Print("no end of line")
		<-term
		note(dir, "stops-"+os.Getenv("SUPERVISE_TEST_NAME"), os.Getpid())
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		note(dir, "pids", os.Getpid())
		<-time.After(10 * time.Minute) // long enough to be ended by somebody
	case "job":
		note(dir, "job", os.Getpid())
		<-time.After(10 * time.Minute) // long enough to be ended by somebody
	case "exit":
		code, _ := strconv.Atoi(os.Getenv("SUPERVISE_TEST_CODE"))
		os.Exit(code)
	}
}

func note(dir, name string, pid int) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(8)
	}
	fmt.Fprintf(f, "%d\n", pid)
	f.Close()
}

func child(dir, name, part string, change func(*Child)) Child {
	c := Child{Name: name, Argv: []string{os.Args[0]}, Worker: true, Grace: 5 * time.Second,
		Env: append(os.Environ(), "SUPERVISE_TEST_PART="+part, "SUPERVISE_TEST_DIR="+dir, "SUPERVISE_TEST_NAME="+name)}
	if change != nil {
		change(&c)
	}
	return c
}

// pids waits for n numbers in a file.
func pids(t *testing.T, path string, n int) []int {
	t.Helper()
	var all []int
	eventually(t, fmt.Sprintf("%d numbers in %s", n, path), func() bool {
		b, _ := os.ReadFile(path)
		all = nil
		for _, line := range strings.Fields(string(b)) {
			pid, _ := strconv.Atoi(line)
			all = append(all, pid)
		}
		return len(all) >= n && strings.HasSuffix(string(b), "\n")
	})
	return all
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

func alive(pid int) bool { return process.ProcState(pid).State.Alive() }

// text is a log or console that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(b)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// logger writes "LEVEL sentence" lines.
func (x *text) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(x, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// brain keeps reports and gives orders.
type brain struct {
	mu      sync.Mutex
	reports []candor.HostReport
	orders  []candor.FenceOrder
	wake    chan struct{}
	err     error
}

func newHost() *brain { return &brain{wake: make(chan struct{}, 1)} }

func (b *brain) Host(ctx context.Context, r candor.HostReport) (candor.HostReply, error) {
	b.mu.Lock()
	b.reports = append(b.reports, r)
	err := b.err
	orders := b.orders
	b.orders = nil
	b.mu.Unlock()
	if err != nil || len(orders) > 0 {
		return candor.HostReply{Fence: orders}, err
	}
	select { // held for orders
	case <-b.wake:
	case <-time.After(r.Wait.D()):
	case <-ctx.Done():
		return candor.HostReply{}, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	orders, b.orders = b.orders, nil
	return candor.HostReply{Fence: orders}, nil
}

func (b *brain) order(o candor.FenceOrder) {
	b.mu.Lock()
	b.orders = append(b.orders, o)
	b.mu.Unlock()
	b.wake <- struct{}{}
}

// told waits for a report that ok likes.
func (b *brain) told(t *testing.T, what string, ok func(candor.HostReport) bool) candor.HostReport {
	t.Helper()
	var found candor.HostReport
	eventually(t, "a report "+what, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, r := range b.reports {
			if ok(r) {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

// supervisor runs children until the test ends.
type supervisor struct {
	log   *text
	stop  context.CancelFunc
	ended chan error
}

func supervise(t *testing.T, dir string, host Host, children ...Child) *supervisor {
	t.Helper()
	s := &supervisor{log: &text{}, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	o := Options{Name: "up", StateDir: dir, Children: children, Log: s.log.logger(), Host: host,
		First: 20 * time.Millisecond, Look: 20 * time.Millisecond, Report: 200 * time.Millisecond}
	go func() { s.ended <- Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		_ = s.over(t)
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

func (s *supervisor) over(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		s.ended <- err
		return err
	case <-time.After(patience):
		t.Fatalf("the supervisor does not end:\n%s", s.log)
		return nil
	}
}

func (s *supervisor) says(t *testing.T, part string) {
	t.Helper()
	eventually(t, "the line "+part, func() bool { return strings.Contains(s.log.String(), part) })
}
