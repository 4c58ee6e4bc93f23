package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"

	"candor/internal/clock"
)

// Stdio is what a call of candor reads and writes.
type Stdio struct {
	In  io.Reader
	Out io.Writer // the answer
	Err io.Writer // talk
}

// Main runs one command line, without the program's name, and returns its exit
// code. It is the whole program: tests call it as main does.
func Main(ctx context.Context, args []string, stdio Stdio) int {
	signals := make(chan os.Signal, 4) // a few, so that an impatient second one is not lost
	signal.Notify(signals, stopSignals()...)
	defer signal.Stop(signals)
	a := &app{
		Stdio: stdio, lookup: os.LookupEnv, clk: clock.System(), signals: signals,
		goos: runtime.GOOS, uid: os.Getuid(),
	}
	a.home, _ = os.UserHomeDir() // a service user may have none; places say what they do then
	a.workDir, _ = os.Getwd()    // gone while we stand in it: relative paths then fail by themselves
	return a.run(ctx, args)
}
