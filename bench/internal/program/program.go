// Package program is what all benchmarks do as programs: read flags, leave with
// a code, write a profile. What they measure, and how, is each one's own.
//
// Invariant: a benchmark that did not measure what it was asked to leaves with
// another code than 0, and says why on stderr.
package program

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// Flags reads the flags that declare makes. Benchmarks have no arguments.
func Flags(name string, args []string, stderr io.Writer, declare func(*flag.FlagSet)) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	declare(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q: there are no arguments", flags.Arg(0))
	}
	return nil
}

// Exit is the code with which a benchmark leaves; it says what went wrong. To ask
// for help is no fault.
func Exit(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(stderr, name+":", err)
	return 1
}

// Profiled does what it is given and writes a CPU profile of it; to no file: none.
func Profiled(file string, do func() error) error {
	if file == "" {
		return do()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
