package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"candor/internal/sched"
)

// policy is a way to decide which card loads what and runs what.
type policy string

const (
	incidents policy = "incident's rule"
	firstCame policy = "first come"
	ours      policy = "candor"
)

func policies() []policy { return []policy{incidents, firstCame, ours} }

// outcome is one instance under all policies.
type outcome struct {
	bound time.Duration
	by    map[policy]result
}

type result struct {
	takes   time.Duration
	loads   int
	account account
}

func (o *outcome) ratio(p policy) float64 { return float64(o.by[p].takes) / float64(o.bound) }

// compare plays the instance of a seed under each policy. It fails if one of
// them does better than the bound: then the bound is wrong, or the rig.
func compare(sc scenario, seed uint64, events io.Writer) (outcome, error) {
	in := sc.draw(seed)
	out := outcome{bound: bound(in), by: map[policy]result{}}
	for _, p := range policies() {
		r, err := play(p, in, events)
		if err != nil {
			return out, fmt.Errorf("%s: %w", p, err)
		}
		res := result{takes: r.end, loads: r.loads}
		for _, g := range r.gpus {
			res.account.busy += g.account.busy
			res.account.loading += g.account.loading
			res.account.idle += g.account.idle
		}
		out.by[p] = res
		if res.takes < out.bound {
			return out, fmt.Errorf("%s took %s, less than the bound of %s", p, res.takes, out.bound)
		}
	}
	return out, nil
}

func play(p policy, in *instance, events io.Writer) (*rig, error) {
	switch p {
	case firstCame:
		return runFirstCome(in)
	case incidents:
		// The brain of the incident looked whether anybody was hot. MaxHot asks that for each
		// model, which favours it: by its own rule a second model never loads.
		return runCandor(in, sched.Config{Placement: sched.Placement{MaxHot: 1}}, nil)
	default:
		return runCandor(in, sched.Config{}, events)
	}
}

// print writes the table of a scenario.
func print(stdout io.Writer, sc scenario, runs []outcome) error {
	fmt.Fprintf(stdout, "%s: %s\n", sc.name, sc.about)
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	printCells(t, runs)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(stdout)
	return nil
}

// printCells writes what a table has for its tabwriter: of the one run, or of
// several their median and worst.
func printCells(t io.Writer, runs []outcome) {
	if len(runs) > 1 {
		fmt.Fprintf(t, "policy\tmedian\tof bound\tworst\tloads\tbusy\tloading\tidle\t\n")
	} else {
		fmt.Fprintf(t, "policy\tmakespan\tof bound\tloads\tbusy\tloading\tidle\t\n")
	}
	for _, p := range policies() {
		byRatio := slices.SortedFunc(slices.Values(runs), func(a, b outcome) int {
			return int(1e6 * (a.ratio(p) - b.ratio(p)))
		})
		mid := &byRatio[(len(runs)-1)/2]
		r := mid.by[p]
		fmt.Fprintf(t, "%s\t%s\t%.3f\t", p, r.takes.Round(time.Second), mid.ratio(p))
		if len(runs) > 1 {
			fmt.Fprintf(t, "%.3f\t", byRatio[len(runs)-1].ratio(p))
		}
		all := float64(r.account.sum())
		fmt.Fprintf(t, "%d\t%.1f %%\t%.1f %%\t%.1f %%\t\n", r.loads,
			100*float64(r.account.busy)/all, 100*float64(r.account.loading)/all, 100*float64(r.account.idle)/all)
	}
	bounds := slices.SortedFunc(slices.Values(runs), func(a, b outcome) int { return int(a.bound - b.bound) })
	fmt.Fprintf(t, "bound\t%s\t1\t\n", bounds[(len(runs)-1)/2].bound.Round(time.Second))
}
