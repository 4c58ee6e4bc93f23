package supervise

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
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
	// LogFile receives what the child prints, bounded; "": nowhere. Those of the
	// starts before are LogFile.1 to LogFile.3.
	LogFile string
	// Console receives a copy of the same, line by line; nil: nobody. Children
	// may share one: lines are written one at a time. It needs a LogFile.
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
	DefaultLook    = time.Second      // between two looks at a worker's state
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
	Look                   time.Duration // 0 = DefaultLook

	// OnStart is told each start; nil: nobody. Tests wait on it.
	OnStart func(name string, pid, restart int)
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Children) == 0 || o.StateDir == "" {
		return o, candor.Errorf(candor.CodeInvalid, "a supervisor needs children and a state directory")
	}
	names := map[string]bool{}
	for i := range o.Children {
		c := &o.Children[i]
		if c.Name == "" || len(c.Argv) == 0 || names[c.Name] || c.Console != nil && c.LogFile == "" {
			return o, candor.Errorf(candor.CodeInvalid, "child %q needs a name of its own, a command, and a log file if it has a console", c.Name)
		}
		names[c.Name] = true
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.First, o.Longest = cmp.Or(o.First, DefaultFirst), cmp.Or(o.Longest, DefaultLongest)
	o.Stable, o.Report = cmp.Or(o.Stable, DefaultStable), cmp.Or(o.Report, DefaultReport)
	o.Look = cmp.Or(o.Look, DefaultLook)
	return o, nil
}

// keeper is a running supervisor.
type keeper struct {
	o     Options
	kids  []*kid
	news  chan struct{} // a worker's process has changed
	lines sync.Mutex    // held for one line on a console

	stopping atomic.Bool
}

// Run starts the children in order of their stages and keeps them running until
// ctx ends or all have exited with 0; then it stops what runs, last stage first.
// The error is that of a child that could not be started even once.
func Run(ctx context.Context, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	k := &keeper{o: o, news: make(chan struct{}, 1)}
	stages := map[int][]*kid{}
	for _, c := range o.Children {
		d := newKid(k, c)
		k.kids = append(k.kids, d)
		stages[c.Stage] = append(stages[c.Stage], d)
	}
	order := slices.Sorted(maps.Keys(stages))
	err = k.start(ctx, order, stages)
	reporting, stopReporting := context.WithCancel(context.WithoutCancel(ctx))
	var reporter sync.WaitGroup
	if o.Host != nil && err == nil {
		reporter.Go(func() { k.report(reporting) })
	}
	if err == nil {
		err = k.wait(ctx)
	}
	k.stopping.Store(true)
	for _, stage := range slices.Backward(order) {
		for _, d := range stages[stage] {
			d.stop()
		}
		for _, d := range stages[stage] {
			<-d.done
		}
	}
	stopReporting()
	reporter.Wait()
	return err
}

// start brings the stages up, each when the one before is ready.
func (k *keeper) start(ctx context.Context, order []int, stages map[int][]*kid) error {
	for _, stage := range order {
		for _, d := range stages[stage] {
			go d.keep()
		}
		for _, d := range stages[stage] {
			if err := d.ready(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// wait returns when ctx ends, when no child is left to keep, or with the error
// of one that could not be started.
func (k *keeper) wait(ctx context.Context) error {
	for _, d := range k.kids {
		select {
		case <-ctx.Done():
			return nil
		case <-d.done:
			if err := d.failure(); err != nil {
				return err
			}
		}
	}
	return nil
}
