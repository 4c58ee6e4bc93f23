// Command farm runs the pure core in virtual time: a thousand workers, a
// million tasks, with failures, deaths and returns, as fast as it decides. No
// store, no network, no process: what it measures is deciding alone.
//
//	go run ./bench/farm
//
// prints one line of numbers, and fails unless every task ended exactly once.
// The same seed gives the same run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"candor"
	"candor/bench/internal/program"
)

type settings struct {
	tasks   int
	workers int
	seed    uint64
	profile string
	limit   time.Duration
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if err == nil {
		err = program.Profiled(set.profile, func() error { return measure(set, stdout) })
	}
	return program.Exit("farm", err, stderr)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	err := program.Flags("farm", args, stderr, func(flags *flag.FlagSet) {
		flags.IntVar(&set.tasks, "tasks", 1_000_000, "tasks, at least 100")
		flags.IntVar(&set.workers, "workers", 1_000, "workers, at least 10")
		flags.Uint64Var(&set.seed, "seed", 1, "seed of everything that is left to chance")
		flags.StringVar(&set.profile, "cpuprofile", "", "write a CPU profile to this file")
		flags.DurationVar(&set.limit, "limit", 5*time.Minute, "give up after this long")
	})
	if err == nil && (set.tasks < 100 || set.workers < 10) {
		err = errors.New("-tasks is at least 100, -workers at least 10")
	}
	return set, err
}

// measure runs the farm, prints what it took and checks how it ended.
func measure(set settings, stdout io.Writer) error {
	f := newFarm(set)
	before := heapInUse()
	begun := time.Now()
	if err := f.submit(set.tasks); err != nil {
		return err
	}
	submitted := time.Since(begun)
	perTask := float64(heapInUse()-before) / float64(f.tasks)
	begun = time.Now()
	f.deadline = begun.Add(set.limit)
	if err := f.run(); err != nil {
		return err
	}
	took := time.Since(begun)
	fmt.Fprintf(stdout, "farm tasks=%d workers=%d seed=%d submit/s=%.0f decisions=%d decisions/s=%.0f attempts=%d attempts/s=%.0f bytes/task=%.0f virtual=%s wall=%s deaths=%d\n",
		f.tasks, set.workers, set.seed, float64(f.tasks)/submitted.Seconds(), f.decisions, float64(f.decisions)/took.Seconds(),
		f.attempts, float64(f.attempts)/took.Seconds(), perTask, candor.ShortDuration(f.now.Sub(start)), took.Round(10*time.Millisecond), f.deaths)
	return f.check(stdout)
}

// heapInUse is what lives after a collection, in bytes.
func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
