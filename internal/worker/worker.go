package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/process"
	"candor/internal/record"
)

// killPatience is how long a former session's processes may take to die of KILL.
const killPatience = 10 * time.Second

// worker is one running agent.
type worker struct {
	// immutable
	o      Options
	dir    string // <state>/workers/<name>
	leases string // below it: the records of running attempts
	cgroup string // delegated to us; "": none

	programs *programs
	board    *board
	spool    *spool
	link     *link
	door     chan struct{} // held by whoever registers

	joined  chan struct{} // closed by the first registration
	ended   chan struct{} // an attempt has ended
	stale   chan struct{} // a heartbeat was refused as stale and could not be mended at once
	crashes chan crash
	live    sync.WaitGroup // attempts
	helpers sync.WaitGroup // reporter, telemetry, calls to the brain

	// main loop only, before any other goroutine exists
	leftover []string
}

// Run is the worker's whole life. It returns nil after a shutdown that was
// asked for, an *Error with CodeLocked when another process is this worker on
// this state directory, the brain's own error when it will not have the worker
// at all, and CodeInternal when the worker crashed; the crash is logged and told
// to the brain by then, and nothing it started is left.
func Run(ctx context.Context, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	w, err := open(o)
	if err != nil {
		return err
	}
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	w.say(slog.LevelInfo, lineInitialized, w.initialized())
	if err := w.clearFormer(); err != nil {
		return err
	}
	return w.run(ctx)
}

// open lays the worker's folders and looks around.
func open(o Options) (*worker, error) {
	w := &worker{
		o: o, dir: filepath.Join(o.StateDir, "workers", o.Name), leases: process.LeaseDir(o.StateDir, o.Name),
		programs: newPrograms(o.Environ, o.Tools), board: newBoard(o.Clock.Now(), cardOf(o.GPU), func() *candor.Serving { return serving(o.Models) }),
		link: &link{}, door: make(chan struct{}, 1), joined: make(chan struct{}),
		ended: make(chan struct{}, 1), stale: make(chan struct{}, 1), crashes: make(chan crash, 1),
	}
	for _, dir := range []string{w.leases, w.spoolDir(), w.keptDir(), attemptdir.Root(o.StateDir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the worker's folders: %w", err)
		}
	}
	dir, note, ok := process.DetectCgroup()
	if ok {
		w.cgroup = dir
	}
	w.say(slog.LevelDebug, lineInitialized, "Attempts run in groups of their own; "+note)
	return w, nil
}

func (w *worker) spoolDir() string { return filepath.Join(w.dir, "spool") }
func (w *worker) keptDir() string  { return filepath.Join(w.dir, "kept") }

// lock makes this process the only one that is this worker here.
func (w *worker) lock() (unlock func(), err error) {
	path := filepath.Join(w.dir, "lock")
	l := flock.New(path)
	got, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock worker %s: %w", w.o.Name, err)
	}
	if !got {
		holder, _ := os.ReadFile(path + ".pid") // for the message only
		return nil, &candor.Error{Code: candor.CodeLocked,
			Message: fmt.Sprintf("worker %s already runs on %s (pid %s)", w.o.Name, w.o.StateDir, or(strings.TrimSpace(string(holder)), "unknown")),
			Hint:    "give this one another name: --name"}
	}
	_ = os.WriteFile(path+".pid", fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600) // for the message only
	return func() { _ = l.Close() }, nil
}

// clearFormer ends what a former session left behind and reads its spool.
func (w *worker) clearFormer() error {
	swept, err := process.KillLeases(w.o.Clock, w.leases, killPatience)
	if err != nil {
		return err
	}
	for _, s := range swept {
		task := slog.String(record.KeyTask, s.Record.Task)
		lease := slog.Uint64(record.KeyLease, s.Record.Lease)
		if s.LogErr != nil {
			w.say(slog.LevelWarn, lineLeftover, fmt.Sprintf("The log of %s ends too early: its last part could not be put in place", s.Record.Task),
				task, lease, slog.Any(record.KeyError, s.LogErr))
		}
		switch {
		case !s.Clean():
			w.leftover = append(w.leftover, s.Names()...)
			w.say(slog.LevelError, lineLeftover, fmt.Sprintf("A former session's attempt of %s could not be ended: %s",
				or(s.Record.Task, s.Path), strings.Join(s.Names(), ", ")), task, lease)
		case len(s.Killed) > 0:
			w.say(slog.LevelWarn, lineLeftover, fmt.Sprintf("Ended what a former session left of %s: %s",
				s.Record.Task, strings.Join(process.Names(s.Killed), ", ")), task, lease)
		}
	}
	spool, bad := openSpool(w.spoolDir())
	for _, err := range bad {
		w.say(slog.LevelError, lineSpool, "A spooled result cannot be read and is set aside", slog.Any(record.KeyError, err))
	}
	w.spool = spool
	if n := len(spool.unsent()); n > 0 {
		w.say(slog.LevelInfo, lineSpool, "A former session left "+plural(n, "result", "results")+" to deliver", slog.Int(record.KeyCount, n))
	}
	return nil
}

// run is everything between the first word and the last.
func (w *worker) run(ctx context.Context) error {
	calls, stopCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCalls()
	w.helpers.Go(func() { w.guard("reporter", func() { w.report(calls) }) })
	w.helpers.Go(func() { w.guard("programs", func() { w.watchPrograms(calls) }) })
	if w.o.GPU != nil && w.o.Telemetry != nil {
		w.helpers.Go(func() { w.guard("telemetry", func() { w.watchCard(calls) }) })
	}
	if w.o.KeepLogs > 0 {
		w.helpers.Go(func() { w.guard("old logs", func() { w.dropOld(calls) }) })
	}
	if w.o.Models != nil {
		w.helpers.Go(func() { w.guard("model server", func() { w.keepServer(calls) }) })
	}
	w.say(slog.LevelInfo, lineStarting, "Worker "+w.o.Name+" starting main loop")
	why, c, fatal := w.mainLoop(ctx, calls)
	if c != nil {
		w.crashed(c)
	}
	w.endAttempts(c)
	w.farewell(calls, why, c)
	stopCalls()
	w.helpers.Wait()
	if c != nil {
		return candor.Errorf(candor.CodeInternal, "worker %s crashed in %s: %s", w.o.Name, c.where, c.what)
	}
	return fatal
}
