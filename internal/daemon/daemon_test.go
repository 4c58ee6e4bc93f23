package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/client"
	"candor/internal/daemon"
	"candor/internal/sched"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a daemon in this process.
type running struct {
	t    *testing.T
	opts daemon.Options
	url  string // of the first address
	stop context.CancelFunc
	done chan error
}

// start runs a daemon on a socket in dir and on whatever else is listed, until
// the test ends.
func start(t *testing.T, dir string, change ...func(*daemon.Options)) *running {
	t.Helper()
	ready := make(chan []net.Addr, 1)
	r := &running{t: t, done: make(chan error, 1), opts: options(dir, change...)}
	r.opts.Ready = func(a []net.Addr) { ready <- a }
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.done <- daemon.Run(ctx, r.opts) }()
	select {
	case addrs := <-ready:
		r.url = r.opts.Listen[0]
		if addrs[0].Network() == "tcp" {
			r.url = "http://" + addrs[0].String()
		}
	case err := <-r.done:
		t.Fatalf("the daemon ended: %v", err)
	}
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Errorf("the daemon stopped with %v", err)
		}
	})
	return r
}

func options(dir string, change ...func(*daemon.Options)) daemon.Options {
	o := daemon.Options{
		StateDir: dir, Listen: []string{"unix://" + filepath.Join(dir, "s")}, Log: slog.New(slog.DiscardHandler), Version: "test",
		Sched: sched.Config{Heartbeat: time.Second, Lost: 2 * time.Second, Lease: 3 * time.Second},
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

// end stops the daemon, once, and returns its error.
func (r *running) end() error {
	r.stop()
	err := <-r.done
	r.done <- nil
	return err
}

func (r *running) client(tokenFile string) *client.Client {
	r.t.Helper()
	c, err := client.New(client.Options{URL: r.url, TokenFile: tokenFile})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// socketDir is a directory whose path leaves room for a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func refused(t *testing.T, o daemon.Options, want candor.Code) *candor.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := daemon.Run(ctx, o)
	e := &candor.Error{}
	if ctx.Err() != nil || err == nil || candor.CodeOf(err) != want {
		t.Fatalf("want %s, got %v (context: %v)", want, err, ctx.Err())
	}
	if !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("%v: no hint", err)
	}
	return e
}

func plan() candor.Submission {
	return candor.Submission{Name: "plan", Steps: []candor.Step{{Name: "a", Class: candor.ClassCPU}}}
}

func TestServesAndStops(t *testing.T) {
	dir := socketDir(t)
	r := start(t, dir, func(o *daemon.Options) { o.Listen = append(o.Listen, "127.0.0.1:0") })
	c := r.client("")
	reply, err := c.Submit(t.Context(), plan())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "s")); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if _, err := c.Status(t.Context()); candor.CodeOf(err) != candor.CodeUnavailable {
		t.Errorf("a stopped brain: %v", err)
	}
	again := start(t, dir)
	b, err := again.client("").Batch(t.Context(), reply.Batch.String())
	if err != nil || b.State != candor.BatchActive || b.Total != 1 {
		t.Errorf("the next brain on the same state has %+v, %v", b, err)
	}
}

// TestStopLetsHeldAnswersGo: a brain that is told to stop does not wait for the
// long polls of its workers and followers to run out.
func TestStopLetsHeldAnswersGo(t *testing.T) {
	r := start(t, socketDir(t))
	c := r.client("")
	session, err := c.Register(t.Context(), candor.RegisterRequest{Protocol: candor.Protocol, Verified: true,
		Info: candor.WorkerInfo{Name: "worker-1", PID: 1, Classes: []candor.Class{candor.ClassCPU}, Slots: 1}})
	if err != nil {
		t.Fatal(err)
	}
	claimed, held := make(chan error, 1), make(chan error, 2)
	go func() {
		_, err := c.Claim(t.Context(), "worker-1", candor.ClaimRequest{Session: session.Session, Max: 1, Wait: candor.Duration(time.Minute)})
		claimed <- err
		held <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan struct{}, 100)
	go func() {
		held <- c.Follow(ctx, candor.EventQuery{}, func(candor.Event) error { first <- struct{}{}; return nil })
	}()
	<-first
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for asked := false; !asked; <-tick.C { // until the claim has come, and is held
		workers, err := c.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		asked = workers[0].Reason != nil && workers[0].Reason.Code == candor.ReasonIdleNoWork
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	// It was answered. Had the brain waited for it, it would have been cut off.
	if err := <-claimed; err == nil || !strings.Contains(err.Error(), "the brain is stopping") {
		t.Errorf("the held claim heard %v", err)
	}
	cancel()
	for range 2 {
		err := <-held
		if err == nil {
			t.Error("a held answer of a stopped brain looks like a good one")
		}
	}
}

// TestSocketComesBack: a socket that somebody removed is made again; what is
// there in its place stays when the brain ends.
func TestSocketComesBack(t *testing.T) {
	dir := socketDir(t)
	r := start(t, dir)
	path := filepath.Join(dir, "s")
	answers := func() bool { // to somebody who has no connection yet
		c, err := client.New(client.Options{URL: r.url})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.Health(t.Context()) == nil
	}
	remove := func() {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		remove()
		eventually(t, "it answers again", answers)
	}
	remove()
	if err := os.WriteFile(path, []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "another's" {
		t.Errorf("in its place there was %q, %v", b, err)
	}
}

// eventually waits until ok; the test's own time limit ends it.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("never: %s", what)
		}
	}
}

// TestSecondBrain on the same state is refused, with who leads (fault F61).
func TestSecondBrain(t *testing.T) {
	dir := socketDir(t)
	r := start(t, dir)
	e := refused(t, options(dir), candor.CodeLocked)
	for _, want := range []string{fmt.Sprintf("pid %d", os.Getpid()), "since ", "unix://" + filepath.Join(dir, "s")} {
		if !strings.Contains(e.Message, want) {
			t.Errorf("%q does not say %q", e.Message, want)
		}
	}
	if _, err := r.client("").Submit(t.Context(), plan()); err != nil {
		t.Errorf("the first brain after that: %v", err)
	}
	// The state is free as soon as its leader has ended.
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

// TestTakenAddress is refused with its holder and the flag to change, and
// leaves the state free (fault F62).
func TestTakenAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := socketDir(t)
	other := start(t, socketDir(t))
	for _, addr := range []string{l.Addr().String(), other.url} {
		e := refused(t, options(dir, func(o *daemon.Options) { o.Listen = append(o.Listen, addr) }), candor.CodePortTaken)
		if !strings.Contains(e.Hint, "--listen") || !strings.Contains(e.Message, strings.TrimPrefix(addr, "unix://")) {
			t.Errorf("%q, hint %q", e.Message, e.Hint)
		}
		if !strings.Contains(e.Message, fmt.Sprintf("pid %d", os.Getpid())) {
			t.Logf("the holder is not known on this system: %s", e.Message)
		}
		if _, err := os.Stat(filepath.Join(dir, "s")); !os.IsNotExist(err) {
			t.Errorf("the first socket stays after the second address was refused: %v", err)
		}
	}
	start(t, dir)
}

// TestTokens: roles are kept apart, and an address that others can reach is
// refused without tokens (fault F60).
func TestTokens(t *testing.T) {
	dir := socketDir(t)
	refused(t, options(dir, func(o *daemon.Options) { o.Listen = append(o.Listen, "0.0.0.0:0") }), candor.CodeInvalid)

	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const viewer, operator, worker = "viewer-0123456789abcdef", "operator-0123456789abcdef", "worker-0123456789abcdef"
	tokens := file("tokens", "viewer "+viewer+"\noperator "+operator+"\nworker "+worker+"\n")
	r := start(t, dir, func(o *daemon.Options) { o.TokensFile, o.Listen = tokens, []string{"127.0.0.1:0"} })
	register := func(c *client.Client) error {
		_, err := c.Register(t.Context(), candor.RegisterRequest{Protocol: candor.Protocol,
			Info: candor.WorkerInfo{Name: "worker-1", PID: 1, Classes: []candor.Class{candor.ClassCPU}, Slots: 1}})
		return err
	}
	submit := func(c *client.Client) error { _, err := c.Submit(t.Context(), plan()); return err }
	look := func(c *client.Client) error { _, err := c.Status(t.Context()); return err }
	const fine = candor.Code("")
	for _, c := range []struct {
		who, token             string
		look, submit, register candor.Code
	}{
		{"nobody", "", candor.CodeUnauthorized, candor.CodeUnauthorized, candor.CodeUnauthorized},
		{"a stranger", "stranger-0123456789abcdef", candor.CodeUnauthorized, candor.CodeUnauthorized, candor.CodeUnauthorized},
		{"a viewer", viewer, fine, candor.CodeForbidden, candor.CodeForbidden},
		{"an operator", operator, fine, fine, candor.CodeForbidden},
		{"a worker", worker, candor.CodeForbidden, candor.CodeForbidden, fine},
	} {
		path := ""
		if c.token != "" {
			path = file("token", c.token+"\n")
		}
		cl := r.client(path)
		for what, x := range map[string]struct {
			do   func(*client.Client) error
			want candor.Code
		}{"looks": {look, c.look}, "submits": {submit, c.submit}, "registers": {register, c.register}} {
			err := x.do(cl)
			if (err == nil) != (x.want == fine) || err != nil && candor.CodeOf(err) != x.want {
				t.Errorf("%s %s: %v, want %q", c.who, what, err, x.want)
			}
			if err != nil && (strings.Contains(err.Error(), viewer) || strings.Contains(err.Error(), worker) || strings.Contains(err.Error(), operator)) {
				t.Errorf("a token leaks: %v", err)
			}
		}
	}
}

// TestBadTokens are refused before anything is opened.
func TestBadTokens(t *testing.T) {
	dir := socketDir(t)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"open to others": {"viewer viewer-0123456789abcdef\n", 0o644},
		"no role":        {"viewer-0123456789abcdef\n", 0o600},
		"unknown role":   {"boss viewer-0123456789abcdef\n", 0o600},
		"short":          {"viewer abc\n", 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "tokens")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			refused(t, options(filepath.Join(dir, "state"), func(o *daemon.Options) { o.TokensFile = path }), candor.CodeInvalid)
			if _, err := os.Stat(filepath.Join(dir, "state")); !os.IsNotExist(err) {
				t.Errorf("something was created: %v", err)
			}
		})
	}
}

// TestReload takes up changed rules without a restart.
func TestReload(t *testing.T) {
	rules := make(chan daemon.Rules)
	r := start(t, socketDir(t), func(o *daemon.Options) { o.Reload = rules })
	c := r.client("")
	register := func() candor.RegisterReply {
		reply, err := c.Register(t.Context(), candor.RegisterRequest{Protocol: candor.Protocol,
			Info: candor.WorkerInfo{Name: "worker-1", PID: 1, Classes: []candor.Class{candor.ClassCPU}, Slots: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	before := register()
	changed := r.opts.Sched
	changed.Heartbeat, changed.Lost = 7*time.Second, 70*time.Second
	changed.Lease = 80 * time.Second
	rules <- daemon.Rules{Sched: changed}
	rules <- daemon.Rules{Sched: changed} // taken up only when the first one is in force
	after := register()
	if before.Lost.D() != 2*time.Second || after.Heartbeat.D() != 7*time.Second || after.Lost.D() != 70*time.Second || after.Lease.D() != 80*time.Second {
		t.Errorf("before: %+v, after: %+v", before, after)
	}
}
