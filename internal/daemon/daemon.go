// Package daemon puts one brain process together: the store, the loop, the HTTP
// server on its listeners, and the order in which they stop. It is what the
// command line runs and what end-to-end tests call on port 0; it has no rules of
// its own.
//
//	open store (lock) ─▶ load ─▶ listen ─▶ loop + serve ─▶ ctx ends ─▶
//	   shut the server ─▶ end the loop ─▶ close the store
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"candor/internal/brain"
	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/sched"
	"candor/internal/store"
	"candor/internal/store/sqlite"
)

// Options say what a brain process is. StateDir, Listen and Log are required.
type Options struct {
	StateDir   string
	Listen     []string // unix:///path, host:port; the first one is shown to others
	TokensFile string   // "" = none: only unix sockets and loopback
	Sched      sched.Config
	Retention  store.Retention
	PruneEvery time.Duration // 0 = ten minutes
	Version    string
	Log        *slog.Logger
	Flush      func() error // hands the log to the kernel after each round; nil: none
	Clock      clock.Clock  // nil = the system's
	Seed       int64        // where the ids of a new store start
	Beat       func()       // fed by the loop once a round; nil: nobody
	// Reload brings changed rules while the brain runs; nil: never.
	Reload <-chan Rules
	// Ready is told the addresses once all of them answer; nil: nobody.
	Ready func(addrs []net.Addr)
}

// Rules are the settings that may change while the brain runs.
type Rules struct {
	Sched     sched.Config
	Retention store.Retention
}

// stopGrace is how long answers under way may take when the brain is stopped.
const stopGrace = 5 * time.Second

// Run runs a brain until ctx ends, and returns nil if it stopped in order.
func Run(ctx context.Context, o Options) (err error) {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Sched.BatchRoot == "" {
		o.Sched.BatchRoot = filepath.Join(o.StateDir, "batches")
	}
	tokens, err := readTokens(o.TokensFile)
	if err != nil {
		return err
	}
	st, err := sqlite.Open(ctx, sqlite.Options{Dir: o.StateDir, Seed: o.Seed, Clock: o.Clock, Address: first(o.Listen)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	b, err := brain.New(ctx, brain.Options{
		Store: st, Sched: o.Sched, Clock: o.Clock, Log: o.Log, Flush: o.Flush, Retention: o.Retention,
		PruneEvery: o.PruneEvery, Pruned: o.dropAttempts, Beat: o.Beat, Version: o.Version, PID: os.Getpid(),
		Holder: func() string { return st.Stats().Holder },
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", o.StateDir, err)
	}
	o.dropForgotten(ctx, st)
	srv, err := httpapi.New(httpapi.Options{
		Brain: b, Store: st, StateDir: o.StateDir, BatchRoot: o.Sched.BatchRoot, Tokens: tokens, Version: o.Version,
		Clock: o.Clock, Logger: o.Log,
	})
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, o.Listen, tokens)
	if err != nil {
		return errors.Join(err, srv.Shutdown(ctx))
	}
	return serve(ctx, o, b, srv, tokens, listeners)
}

// serve runs loop and server side by side until ctx ends or one of them fails.
func serve(ctx context.Context, o Options, b *brain.Brain, srv *httpapi.Server, tokens *httpapi.Tokens, listeners []net.Listener) error {
	loopCtx, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoop()
	failed := make(chan error, 1) // the first one ends it
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	loopDone := make(chan struct{})
	go func() {
		defer close(loopDone)
		if err := b.Run(loopCtx); err != nil {
			fail(fmt.Errorf("brain loop: %w", err))
		}
	}()
	answer := func(l net.Listener) {
		go func() {
			if err := srv.Serve(l); err != nil {
				fail(err)
			}
		}()
	}
	addrs := make([]net.Addr, len(listeners))
	for i, l := range listeners {
		addrs[i] = l.Addr()
		answer(l)
	}
	if o.Ready != nil {
		o.Ready(addrs)
	}
	doors, leaveDoors := context.WithCancel(ctx)
	doorsLeft := make(chan struct{})
	go func() {
		defer close(doorsLeft)
		keepOpen(doors, o, tokens, listeners, answer)
	}()
	err := attend(ctx, o, b, failed)
	leaveDoors()
	<-doorsLeft
	// Answers that are on their way need the loop; held ones are let go first.
	shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if e := srv.Shutdown(shut); e != nil && !errors.Is(e, context.DeadlineExceeded) {
		err = errors.Join(err, e)
	}
	stopLoop()
	<-loopDone
	return err
}

// attend takes up changed rules until ctx ends or something fails.
func attend(ctx context.Context, o Options, b *brain.Brain, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case r := <-o.Reload:
			if err := b.Configure(ctx, r.Sched, r.Retention); err != nil && ctx.Err() == nil {
				o.Log.Warn("The changed settings were not taken up: " + err.Error())
			}
		}
	}
}

func listen(ctx context.Context, addrs []string, tokens *httpapi.Tokens) ([]net.Listener, error) {
	var out []net.Listener
	for _, a := range addrs {
		l, err := httpapi.Listen(ctx, a, tokens)
		if err != nil {
			for _, open := range out {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func readTokens(path string) (*httpapi.Tokens, error) {
	if path == "" {
		return nil, nil
	}
	return httpapi.ReadTokens(path)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
