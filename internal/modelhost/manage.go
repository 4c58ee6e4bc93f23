package modelhost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"candor"
	"candor/internal/process"
	"candor/internal/record"
	"candor/internal/runtime"
)

const (
	recordFile = "model-server.json" // of the server's process, in Options.Dir
	// startPatience is how long a server that was started may take to answer.
	startPatience = 2 * time.Minute
	// sweepPatience is how long what an earlier start left may take to die of KILL.
	sweepPatience = 10 * time.Second
	// fallenGrace is what is left of a server that fell or hangs gets between
	// TERM and KILL: there is nothing to finish.
	fallenGrace = 2 * time.Second
	// deathbed is how long a process whose connections broke may take to be dead.
	deathbed = 500 * time.Millisecond
)

// manage starts the server again and again until ctx ends, and ends it each time.
func (h *Host) manage(ctx context.Context) error {
	budget := budget{Restart: h.o.Restart}
	port := h.o.Port
	again := "" // why it is not the first start
	var why error
	for {
		began := h.o.Clock.Now()
		h.enter(candor.ServerStarting, again, why)
		var left error
		port, why, left = h.run(ctx, port)
		if ctx.Err() != nil {
			h.enter(candor.ServerDown, errStopped.Error(), nil)
			return left
		}
		why = errors.Join(why, left)
		again = "started again, since " + why.Error()
		now := h.o.Clock.Now()
		pause, allowed := budget.fell(now, now.Sub(began))
		text := fmt.Sprintf("%s; starting it again in %s", why, candor.ShortDuration(pause))
		if !allowed {
			h.enter(candor.ServerOut, fmt.Sprintf("%d restarts in %s, and it fell again: %v", budget.Most, candor.Duration(budget.Within), why), why)
			select {
			case <-h.again:
				budget.times = nil
			case <-ctx.Done():
				return left
			}
			continue
		}
		h.enter(candor.ServerDown, text, why)
		select {
		case <-ctx.Done():
			return left
		case <-h.again:
		case <-h.o.Clock.After(pause):
		}
		h.mu.Lock()
		h.restarts++
		h.mu.Unlock()
	}
}

// budget decides about restarts.
type budget struct {
	Restart
	times []time.Time // of restarts
	pause time.Duration
}

// fell says after which pause a server that ran for so long may be started
// again, if it may. A server that ran for as long as the budget looks back
// begins with the shortest pause again.
func (b *budget) fell(now time.Time, ran time.Duration) (time.Duration, bool) {
	var recent []time.Time
	for _, t := range b.times {
		if now.Sub(t) < b.Within {
			recent = append(recent, t)
		}
	}
	b.times = recent
	if len(recent) >= b.Most {
		return 0, false
	}
	if len(recent) == 0 || ran > b.Longest {
		b.pause = 0
	}
	b.pause = min(max(2*b.pause, b.First), b.Longest)
	b.times = append(b.times, now)
	return b.pause, true
}

// run is one life of a managed server, from what an earlier one left to the
// proof that nothing is left of it. It returns the port used, why the server
// fell, and as left what could not be ended.
func (h *Host) run(ctx context.Context, prefer int) (port int, why, left error) {
	port, err := freePort(ctx, prefer)
	if err != nil {
		return prefer, err, nil
	}
	if prefer != 0 && port != prefer {
		h.say(slog.LevelWarn, lineStarted, fmt.Sprintf("Port %d is taken by another program; the model server of %s gets %d", prefer, h.o.Name, port), slog.Int(record.KeyPort, port))
	}
	start := h.o.Launch(port)
	if err := h.sweep(start); err != nil {
		return port, err, nil
	}
	proc, err := h.spawn(start)
	if err != nil {
		return port, err, nil
	}
	l := h.newLife(ctx, start.Server, start.URL)
	why = h.reach(l, startPatience, proc.Done())
	if why == nil {
		h.bear(l)
		why = h.watch(l, proc.Done())
	}
	fallen := ctx.Err() == nil
	if fallen && runtime.CodeOf(why) == runtime.CodeGone {
		select { // how its process ended says more than that nobody answers
		case <-proc.Done():
		case <-h.o.Clock.After(deathbed):
		}
		why = h.orEnd(why, l, proc)
	}
	l.end(why) // requests hear of it before their connections break
	h.bury(l)
	if fallen {
		h.enter(candor.ServerDown, why.Error(), why)
	}
	left = h.finish(proc, fallen)
	h.helpers.Wait()
	if c, ok := start.Server.(interface{ Close() }); ok {
		c.Close()
	}
	return port, h.orEnd(why, l, proc), left
}

// orEnd is why a server fell: how its process ended, if it did so by itself.
func (h *Host) orEnd(why error, l *life, proc *process.Process) error {
	exit, ended := exitOf(proc)
	if !ended || exit.Cause == process.CauseOurs {
		return why
	}
	e := runtime.Gone(l.url, 0, nil)
	e.Text = fmt.Sprintf("%s ended (%s)%s", h.o.Kind, exit, lastWords(proc))
	return e
}

// sweep ends what an earlier start left behind: a server whose worker was
// killed, and runners that outlive their server.
func (h *Host) sweep(s Start) error {
	path := filepath.Join(h.o.Dir, recordFile)
	found := []process.Record{process.Intent(s.Mark, s.Argv[0], h.o.Clock.Now())}
	r, err := process.ReadRecord(path)
	switch {
	case err == nil:
		found = append(found, r)
	case !errors.Is(err, fs.ErrNotExist):
		h.say(slog.LevelWarn, lineSwept, "The record of a former model server cannot be read; its mark finds it too", slog.String(record.KeyError, err.Error()))
	}
	for _, r := range found {
		l, err := process.KillRecorded(h.o.Clock, r, sweepPatience)
		if err != nil { // not on this system; what there is cannot be told from others
			h.say(slog.LevelWarn, lineSwept, "What a former model server left cannot be looked for", slog.String(record.KeyError, err.Error()))
			continue
		}
		if len(l.Killed) > 0 {
			h.say(slog.LevelWarn, lineSwept, fmt.Sprintf("Ended what a former model server of %s left: %s", h.o.Name, strings.Join(process.Names(l.Killed), ", ")),
				slog.Int(record.KeyCount, len(l.Killed)))
		}
		if len(l.Survivors) > 0 {
			return fmt.Errorf("KILL does not end what a former model server left: %s", strings.Join(process.Names(l.Survivors), ", "))
		}
	}
	return nil
}

// spawn starts the process. It is on record before, by its mark, and after, by
// its number.
func (h *Host) spawn(s Start) (*process.Process, error) {
	if err := os.MkdirAll(h.o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start %s: %w", h.o.Kind, err)
	}
	path := filepath.Join(h.o.Dir, recordFile)
	if err := process.WriteRecord(path, process.Intent(s.Mark, s.Argv[0], h.o.Clock.Now())); err != nil {
		return nil, fmt.Errorf("start %s: %w", h.o.Kind, err)
	}
	dir := s.Dir
	if dir == "" {
		dir = h.o.Dir
	}
	if h.o.LogFile != "" {
		_ = os.Rename(h.o.LogFile, h.o.LogFile+".1") // what was said before the last fall; there may be none
	}
	proc, err := process.Start(h.o.Clock, process.Spec{
		Argv: s.Argv, Env: s.Env, Mark: s.Mark, Dir: dir, Log: h.o.LogFile, Tied: true,
		Family: h.o.Family, Lasting: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", h.o.Kind, err)
	}
	if err := process.WriteRecord(path, proc.Record()); err != nil {
		h.say(slog.LevelWarn, lineStarted, "The model server is on record by its mark only", slog.String(record.KeyError, err.Error()))
	}
	h.say(slog.LevelInfo, lineStarted, fmt.Sprintf("Model server (%s) of %s started: pid %d at %s", h.o.Kind, h.o.Name, proc.PID(), s.URL),
		slog.Int(record.KeyPID, proc.PID()), slog.String(record.KeyURL, s.URL))
	return proc, nil
}

// finish ends the process with all that belongs to it, and proves it.
func (h *Host) finish(proc *process.Process, fallen bool) error {
	grace := h.o.Grace
	if fallen {
		grace = min(grace, fallenGrace)
	}
	r := proc.Terminate(context.Background(), grace)
	if len(r.Survivors) > 0 {
		return fmt.Errorf("KILL does not end the model server: %s", strings.Join(process.Names(r.Survivors), ", "))
	}
	if exit, ended := exitOf(proc); ended && len(exit.Stragglers) > 0 {
		h.say(slog.LevelWarn, lineSwept, fmt.Sprintf("Ended what outlived the model server of %s: %s", h.o.Name, strings.Join(process.Names(exit.Stragglers), ", ")))
	}
	if err := process.RemoveRecord(filepath.Join(h.o.Dir, recordFile)); err != nil {
		h.say(slog.LevelWarn, lineSwept, "The record of an ended model server stays", slog.String(record.KeyError, err.Error()))
	}
	return nil
}

// exitOf is how a process ended, if it has.
func exitOf(proc *process.Process) (process.Exit, bool) {
	select {
	case <-proc.Done():
		exit, err := proc.Wait(context.Background())
		return exit, err == nil
	default:
		return process.Exit{}, false
	}
}

// lastWords is the end of what the server printed, in one line.
func lastWords(proc *process.Process) string {
	lines := strings.Split(strings.TrimSpace(proc.Tail()), "\n")
	last := lines[len(lines)-1]
	if last == "" {
		return ""
	}
	return ", its last words: " + last[:min(len(last), 300)]
}

// freePort is the preferred port of the loopback interface, or another when
// that one is taken.
func freePort(ctx context.Context, prefer int) (int, error) {
	for _, port := range []int{prefer, 0} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil && port == 0 {
			return 0, fmt.Errorf("find a port for the model server: %w", err)
		}
		if err != nil {
			continue
		}
		free := l.Addr().(*net.TCPAddr).Port
		return free, l.Close()
	}
	return 0, nil
}
