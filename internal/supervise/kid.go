package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"candor"
	"candor/internal/process"
	"candor/internal/record"
)

// sweepPatience is how long a dead worker's attempts may take to die of KILL.
const sweepPatience = 10 * time.Second

// The codes of a supervisor's log lines, under record.KeyCode.
const (
	lineStarted = "child.started"
	lineExited  = "child.exited"
	lineStopped = "child.stopped"
	lineSwept   = "child.swept"
	lineHost    = "host.report"
	lineFence   = "host.fence"
)

// kid is one child being kept.
type kid struct {
	// immutable
	Child
	k      *keeper
	ctx    context.Context // ends when it is to stop
	stop   context.CancelFunc
	up     chan struct{} // closed at the first start
	done   chan struct{} // closed when it is kept no more
	leases string

	mu sync.Mutex
	// guarded by mu
	seen candor.HostWorker
	past []candor.HostWorker // ends that the brain has not heard of, oldest first
	err  error               // why it could not be started even once
}

func newKid(k *keeper, c Child) *kid {
	d := &kid{Child: c, k: k, up: make(chan struct{}), done: make(chan struct{}), leases: process.LeaseDir(k.o.StateDir, c.Name)}
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.seen.Name = c.Name
	if d.Grace == 0 {
		d.Grace = DefaultGrace
	}
	return d
}

// keep starts the child again and again until it is told to stop, or the child
// ends by itself with 0.
func (d *kid) keep() {
	defer close(d.done)
	defer d.stop()
	o := d.k.o
	delay := o.First
	for restart := 0; ; restart++ {
		proc, err := d.start(restart)
		if err != nil && restart == 0 && (errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)) {
			d.set(func() { d.err = fmt.Errorf("start %s: %w", d.Name, err) })
			return
		}
		how := "could not be started: " + fmt.Sprint(err)
		if err == nil {
			exit := d.attend(proc)
			how = "exited: " + exit.String()
			if exit.Ran >= o.Stable {
				delay = o.First
			}
			over := d.ctx.Err() != nil || exit.OK()
			d.exited(proc.Owner(), exit, delay, over)
			if over {
				d.say(slog.LevelInfo, lineExited, d.Name+" "+how+"; not started again", exitAttrs(exit)...)
				return
			}
		}
		d.say(slog.LevelWarn, lineExited, fmt.Sprintf("%s %s; restarting in %s (restart %d)", d.Name, how, candor.ShortDuration(delay), restart+1),
			slog.Int(record.KeyCount, restart+1))
		if o.Clock.Sleep(d.ctx, delay) != nil {
			return
		}
		delay = min(2*delay, o.Longest)
	}
}

func exitAttrs(e process.Exit) []slog.Attr {
	attrs := []slog.Attr{slog.Int(record.KeyExit, e.Code)}
	if e.Signal != 0 {
		attrs = append(attrs, slog.String(record.KeySignal, e.SignalText()))
	}
	return attrs
}

func (d *kid) start(restart int) (*process.Process, error) {
	shiftLogs(d.LogFile)
	env := d.Env
	if env == nil {
		env = os.Environ()
	}
	env = append(drop(env, EnvParent), EnvParent+"="+strconv.Itoa(os.Getpid()))
	dir := d.Dir
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return nil, err
		}
	}
	proc, err := process.Start(d.k.o.Clock, process.Spec{Argv: d.Argv, Dir: dir, Env: env, Log: d.LogFile, Leads: true})
	if err != nil {
		return nil, err
	}
	d.set(func() {
		if d.seen.State == exited {
			d.past = append(d.past[max(0, len(d.past)-pastKept+1):], d.seen)
		}
		d.seen = candor.HostWorker{Name: d.Name, PID: proc.PID(), State: string(process.Running), Restarts: restart}
	})
	d.say(slog.LevelInfo, lineStarted, fmt.Sprintf("%s started: pid %d", d.Name, proc.PID()), slog.Int(record.KeyPID, proc.PID()))
	if restart == 0 {
		close(d.up)
	}
	if d.k.o.OnStart != nil {
		d.k.o.OnStart(d.Name, proc.PID(), restart)
	}
	return proc, nil
}

func drop(env []string, name string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			out = append(out, e)
		}
	}
	return out
}

// shiftLogs keeps the logs of the three starts before: what a child said before
// it died is in the first of them.
func shiftLogs(path string) {
	if path == "" {
		return
	}
	for n := 3; n > 0; n-- {
		from := path
		if n > 1 {
			from = path + "." + strconv.Itoa(n-1)
		}
		_ = os.Rename(from, path+"."+strconv.Itoa(n)) // there may be none
	}
}

// attend sees one process of the child through to its end.
func (d *kid) attend(proc *process.Process) process.Exit {
	var followers sync.WaitGroup
	if d.Console != nil {
		followers.Go(func() { d.follow(proc) })
	}
	defer followers.Wait()
	select {
	case <-proc.Done():
	case <-d.ctx.Done():
		d.say(slog.LevelDebug, lineStopped, fmt.Sprintf("Stopping %s: TERM to pid %d", d.Name, proc.PID()))
		r := proc.Terminate(context.Background(), d.Grace)
		if r.KillSent {
			d.say(slog.LevelWarn, lineStopped, fmt.Sprintf("%s did not stop on TERM within %s: killed", d.Name, candor.ShortDuration(d.Grace)))
		}
		if len(r.Survivors) > 0 {
			d.say(slog.LevelError, lineStopped, fmt.Sprintf("KILL did not end %s: %s", d.Name, strings.Join(process.Names(r.Survivors), ", ")))
			return process.Exit{Code: -1, Survivors: r.Survivors}
		}
	}
	exit, _ := proc.Wait(context.Background()) // ended: it cannot wait
	return exit
}

// exited ends what a dead worker left behind, and tells the brain, and in how
// long the worker is started again unless it is over. Only what this very process
// has started is touched: one that did not get the worker's name ends at once,
// while another works under it.
func (d *kid) exited(who process.Owner, exit process.Exit, again time.Duration, over bool) {
	if over {
		again = 0
	}
	var left []string
	unknown := 0
	if d.Worker {
		why := fmt.Sprintf("ended by the supervisor of %s, which had seen that worker's process (pid %d) end", d.Name, who.PID)
		swept, legacy, err := process.KillLeasesOf(d.k.o.Clock, d.leases, who, why, sweepPatience)
		if err != nil {
			left = append(left, err.Error())
		}
		unknown = legacy
		for _, s := range swept {
			left = append(left, s.Names()...)
			d.tellSwept(s)
		}
	}
	left = append(left, process.Names(exit.Survivors)...)
	d.set(func() {
		d.seen.State, d.seen.Exit = exited, exit.String()
		d.seen.Clean, d.seen.Leftover, d.seen.Again = len(left) == 0 && unknown == 0, left, candor.Duration(again)
	})
}

func (d *kid) tellSwept(s process.Swept) {
	attrs := []slog.Attr{slog.String(record.KeyTask, s.Record.Task), slog.Uint64(record.KeyLease, s.Record.Lease)}
	if s.LogErr != nil {
		d.say(slog.LevelWarn, lineSwept, fmt.Sprintf("The log of %s ends too early: its last part could not be put in place", s.Record.Task),
			append(attrs, slog.Any(record.KeyError, s.LogErr))...)
	}
	switch {
	case !s.Clean():
		d.say(slog.LevelError, lineSwept, fmt.Sprintf("An attempt of %s outlives %s: %s", s.Record.Task, d.Name, strings.Join(s.Names(), ", ")), attrs...)
	case len(s.Killed) > 0:
		d.say(slog.LevelWarn, lineSwept, fmt.Sprintf("Ended what %s left of %s: %s", d.Name, s.Record.Task, strings.Join(process.Names(s.Killed), ", ")), attrs...)
	}
}

// ready waits until the child answers, or cannot.
func (d *kid) ready(ctx context.Context) error {
	select {
	case <-d.up:
	case <-d.done:
		return d.failure()
	case <-ctx.Done():
		return nil
	}
	if d.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)() // it ended by itself
	if err := d.Ready(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("wait for %s: %w", d.Name, err)
	}
	return nil
}

func (d *kid) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// set changes what is known of the child and lets the brain hear of it.
func (d *kid) set(change func()) {
	d.mu.Lock()
	change()
	d.mu.Unlock()
	select {
	case d.k.news <- struct{}{}:
	default:
	}
}

func (d *kid) say(level slog.Level, code, text string, attrs ...slog.Attr) {
	key := record.KeyName
	if d.Worker {
		key = record.KeyWorker
	}
	all := append([]slog.Attr{slog.String(record.KeyCode, code), slog.String(key, d.Name)}, attrs...)
	d.k.o.Log.LogAttrs(context.Background(), level, text, all...)
}
