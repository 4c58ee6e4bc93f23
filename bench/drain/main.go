// Command drain measures how fast candor hands out and takes back work: a brain
// process on SQLite with durable commits, and a client process with W slots
// that does nothing with each task but finish it. Every claim and every
// completion is on disk before it is answered.
//
//	go run ./bench/drain -n 20000 -workers 100
//
// prints candor n=… workers=… enqueue/s=… drain/s=…, and the brain's memory for
// each queued task. It ends by itself and removes what it made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

// brainRole is the environment variable that makes this program the brain.
const brainRole = "CANDOR_BENCH_BRAIN"

type settings struct {
	n       int
	drain   int
	workers int
	lanes   int
	chunk   int
	state   string
	profile string
	timeout time.Duration
}

func main() {
	var s settings
	flag.IntVar(&s.n, "n", 20_000, "tasks to enqueue")
	flag.IntVar(&s.drain, "drain", 0, "tasks to drain; 0 = all")
	flag.IntVar(&s.workers, "workers", 100, "slots that work at once")
	flag.IntVar(&s.lanes, "lanes", 1, "requests under way at once, each for its share of the slots")
	flag.IntVar(&s.chunk, "chunk", 50_000, "tasks in one submission")
	flag.StringVar(&s.state, "state", "", "state directory; empty = a temporary one, removed afterwards")
	flag.StringVar(&s.profile, "cpuprofile", "", "write CPU profiles to FILE.client and FILE.brain")
	flag.DurationVar(&s.timeout, "timeout", 5*time.Minute, "end after this long, whatever is left")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if dir := os.Getenv(brainRole); dir != "" {
		return profiled(s.profile, ".brain", func() error { return runBrain(ctx, dir) })
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.complete(); err != nil {
		return err
	}
	dir, cleanup, err := stateDir(s.state)
	if err != nil {
		return err
	}
	defer cleanup()
	return profiled(s.profile, ".client", func() error { return measure(ctx, s, dir) })
}

func (s *settings) complete() error {
	if s.n < 1 || s.workers < 1 || s.chunk < 1 {
		return errors.New("-n, -workers and -chunk must be at least 1")
	}
	if s.drain <= 0 || s.drain > s.n {
		s.drain = s.n
	}
	s.lanes = min(max(s.lanes, 1), s.workers)
	return nil
}

func stateDir(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "candor-drain-")
	if err != nil {
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

func profiled(file, suffix string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file + suffix)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer func() { pprof.StopCPUProfile(); _ = out.Close() }()
	return f()
}
