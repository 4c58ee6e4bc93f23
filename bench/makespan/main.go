// Command makespan asks how long a night of llm work takes, in virtual time:
// seeded scenarios, each under four policies on the same cards, models, loads
// and tasks.
//
//	go run ./bench/makespan
//
// prints one table for each scenario, and fails when candor's own policy takes
// more than the scenario allows of what no schedule could undercut.
//
//	incident's rule
//	              candor's core with max_hot=1: a load only while nobody holds the model
//	              (docs/architecture.md says what came of that)
//	first come    tasks in their order to any free card, which loads what it lacks
//	              and pushes out what it used least recently, as model servers do
//	candor        the core as it is: the real sched.State, with its default rules
//	bound         proven in bound.go; not a policy
//
// No policy knows how long a task or a load will take. The same -seed gives the
// same numbers; -seeds K runs K of them and prints median and worst.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"candor/bench/internal/program"
)

type settings struct {
	seed  uint64
	seeds int
	only  string
	tell  bool
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	if err == nil {
		err = measure(set, stdout)
	}
	return program.Exit("makespan", err, stderr)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var set settings
	err := program.Flags("makespan", args, stderr, func(flags *flag.FlagSet) {
		flags.Uint64Var(&set.seed, "seed", 1, "seed of everything that is left to chance")
		flags.IntVar(&set.seeds, "seeds", 1, "how many seeds, from -seed on; with more than one, median and worst are printed")
		flags.StringVar(&set.only, "only", "", "run only the scenario of this name")
		flags.BoolVar(&set.tell, "events", false, "print what candor's core tells of loads, alarms and deaths")
	})
	switch {
	case err != nil:
		return set, err
	case set.seeds < 1:
		return set, errors.New("-seeds is at least 1")
	case set.only != "" && len(chosen(set.only)) == 0:
		return set, fmt.Errorf("-only %q is no scenario; there are %s", set.only, strings.Join(names(), ", "))
	}
	return set, nil
}

// measure runs what was chosen and prints it. It fails if candor's policy is
// over a limit, in any run.
func measure(set settings, stdout io.Writer) error {
	var over []string
	for _, sc := range chosen(set.only) {
		var runs []outcome
		for seed := set.seed; seed < set.seed+uint64(set.seeds); seed++ {
			var events io.Writer
			if set.tell {
				events = stdout
			}
			out, err := compare(sc, seed, events)
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", sc.name, seed, err)
			}
			runs = append(runs, out)
			if r := out.ratio(ours); r > sc.limit {
				over = append(over, fmt.Sprintf("%s with seed %d: %.3f of the bound, %.2f allowed", sc.name, seed, r, sc.limit))
			}
		}
		if err := print(stdout, sc, runs); err != nil {
			return err
		}
	}
	if len(over) > 0 {
		return fmt.Errorf("candor takes too long in %s", strings.Join(over, "; "))
	}
	return nil
}
