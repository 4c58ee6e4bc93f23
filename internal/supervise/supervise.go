package supervise

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"candor"
	"candor/internal/clock"
)

// Host takes a supervisor's reports; *client.Client is one.
type Host interface {
	Host(ctx context.Context, report candor.HostReport) (candor.HostReply, error)
}

// Child is one process to keep.
type Child struct {
	Name string
	Argv []string // Argv[0] with a slash, or found by Env's PATH
	Dir  string   // "": the supervisor's own
	Env  []string // nil: the supervisor's own
	// LogFile receives what the child prints, bounded; "": nowhere.
	LogFile string
	// Console receives a copy of the same, line by line; nil: nobody.
	Console io.Writer
	// Stage orders starts: a stage starts when all children of the one before
	// are ready, and stops are the other way round.
	Stage int
	// Worker: its leases are recorded under Options.StateDir by Name, and the
	// brain is told of it.
	Worker bool
	// Ready blocks until the child answers, or ctx ends; nil: ready at once.
	Ready func(ctx context.Context) error
	// Grace is what the child has between TERM and KILL; 0 = DefaultGrace.
	Grace time.Duration
}

// What zero values stand for.
const (
	DefaultGrace   = 40 * time.Second // longer than a worker's own drain
	DefaultFirst   = time.Second      // back-off before the first restart, doubling
	DefaultLongest = time.Minute      // back-off at most
	DefaultStable  = time.Minute      // running this long, a child starts from DefaultFirst again
	DefaultReport  = 10 * time.Second // a report without news
)

// Options says what to keep running. Name, StateDir, Children and Log are required.
type Options struct {
	Name     string // of this supervisor, as its workers give it to the brain
	StateDir string
	Children []Child
	Host     Host // nil: nobody is told
	Log      *slog.Logger
	Clock    clock.Clock // nil: the system's

	First, Longest, Stable time.Duration // of the back-off; 0: the defaults
	Report                 time.Duration // 0 = DefaultReport

	// OnStart is told each start; nil: nobody. Tests wait on it.
	OnStart func(name string, pid, restart int)
}

// EnvParent tells a supervised child its supervisor's process number.
const EnvParent = "CANDOR_SUPERVISOR_PID"

// Run starts the children in order of their stages and keeps them running until
// ctx ends or all have exited with 0; then it stops what runs, last stage first.
// It returns nil unless a child could never be started.
func Run(ctx context.Context, o Options) error { return errors.New("supervise: not built yet") }

// Orphaned returns a channel that closes when the supervisor that started this
// process is gone, and nil when none did (getenv(EnvParent) is empty). A child
// drains or stops then. The parent's number is looked at every half second: it
// changes when the parent dies, however it dies, and needs no open file that a
// grandchild could keep.
func Orphaned(ctx context.Context, clk clock.Clock, getenv func(string) string) (<-chan struct{}, error) {
	return nil, errors.New("supervise: not built yet")
}
