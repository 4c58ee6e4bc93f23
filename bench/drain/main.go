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
	"os"
	"os/signal"
	"syscall"
	"time"

	"candor/bench/internal/program"
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
	err := program.Flags("drain", os.Args[1:], os.Stderr, func(f *flag.FlagSet) {
		f.IntVar(&s.n, "n", 20_000, "tasks to enqueue")
		f.IntVar(&s.drain, "drain", 0, "tasks to drain; 0 = all")
		f.IntVar(&s.workers, "workers", 100, "slots that work at once")
		f.IntVar(&s.lanes, "lanes", 1, "requests under way at once, each for its share of the slots")
		f.IntVar(&s.chunk, "chunk", 50_000, "tasks in one submission")
		f.StringVar(&s.state, "state", "", "state directory; empty = a temporary one, removed afterwards")
		f.StringVar(&s.profile, "cpuprofile", "", "write CPU profiles to FILE.client and FILE.brain")
		f.DurationVar(&s.timeout, "timeout", 5*time.Minute, "end after this long, whatever is left")
	})
	if err == nil {
		err = run(s)
	}
	os.Exit(program.Exit("drain", err, os.Stderr))
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if dir := os.Getenv(brainRole); dir != "" {
		return program.Profiled(suffixed(s.profile, ".brain"), func() error { return runBrain(ctx, dir) })
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
	return program.Profiled(suffixed(s.profile, ".client"), func() error { return measure(ctx, s, dir) })
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

// suffixed is a file of this process's own; no file stays none.
func suffixed(file, suffix string) string {
	if file == "" {
		return ""
	}
	return file + suffix
}
