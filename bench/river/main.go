package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	jobs     int
	workers  int
	runs     int
	stores   []string
	dir      string
	cooldown time.Duration
	poll     time.Duration
	limit    time.Duration
}

// result is what one run gave, in jobs per second.
type result struct {
	enqueue, drain float64
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "river:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, set.limit)
	defer cancel()
	for _, store := range set.stores {
		results, err := measure(ctx, store, set)
		if err != nil {
			fmt.Fprintf(stderr, "river: %s: %v\n", store, err)
			return 1
		}
		report(stdout, store, set, results)
	}
	return 0
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	var store string
	flags := flag.NewFlagSet("river", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&set.jobs, "n", 20_000, "jobs to enqueue and drain")
	flags.IntVar(&set.workers, "workers", 100, "jobs worked at once, 1 to 10,000")
	flags.IntVar(&set.runs, "runs", 1, "measured runs; with more than one the last line is the median")
	flags.StringVar(&store, "store", "postgres,sqlite", "stores to measure, by comma")
	flags.StringVar(&set.dir, "dir", "", "folder on a real disk for the databases (default: a temporary one)")
	flags.DurationVar(&set.cooldown, "fetch-cooldown", time.Millisecond, "least time between two fetches")
	flags.DurationVar(&set.poll, "fetch-poll", 20*time.Millisecond, "longest time between two fetches")
	flags.DurationVar(&set.limit, "limit", 10*time.Minute, "give up after this long")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	set.stores = strings.Split(store, ",")
	for _, s := range set.stores {
		if s != "postgres" && s != "sqlite" {
			return settings{}, fmt.Errorf("unknown store %q: take postgres or sqlite", s)
		}
	}
	if set.jobs < 1 || set.workers < 1 || set.runs < 1 || flags.NArg() > 0 {
		return settings{}, errors.New("-n, -workers and -runs are at least 1, and there are no arguments")
	}
	return set, nil
}

// measure opens the store and runs the benchmark on it. The store's files are
// gone when it returns.
func measure(ctx context.Context, store string, set settings) (results []result, err error) {
	dir, err := os.MkdirTemp(set.dir, "river-"+store+"-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if store == "sqlite" {
		return measureSQLite(ctx, dir, set)
	}
	return measurePostgres(ctx, dir, set)
}

// report prints a line for each run and, for several, one for the median.
func report(w io.Writer, store string, set settings, results []result) {
	line := func(r result, note string) {
		fmt.Fprintf(w, "river-%s n=%d workers=%d enqueue/s=%.0f drain/s=%.0f%s\n",
			store, set.jobs, set.workers, r.enqueue, r.drain, note)
	}
	for _, r := range results {
		line(r, "")
	}
	if len(results) > 1 {
		line(result{
			enqueue: median(results, func(r result) float64 { return r.enqueue }),
			drain:   median(results, func(r result) float64 { return r.drain }),
		}, fmt.Sprintf(" median of %d", len(results)))
	}
}

// median of an even number is the lower of the middle two: a rate that was
// really measured.
func median(results []result, of func(result) float64) float64 {
	rates := make([]float64, len(results))
	for i, r := range results {
		rates[i] = of(r)
	}
	slices.Sort(rates)
	return rates[(len(rates)-1)/2]
}
