package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"candor"
	"candor/internal/process"
	"candor/internal/record"
)

// quickest bounds how often a running attempt is looked at.
const quickest = 50 * time.Millisecond

// watcher sees one running attempt through to its end. Its fields belong to the
// attempt's goroutine.
type watcher struct {
	w     *worker
	a     *attempt
	proc  *process.Process
	last  process.Sample // the newest
	shown process.Sample // when something visible last moved
}

// watch returns when the attempt has ended by itself (nil), or why it was ended.
//
// Silence is the absence of output, of changed files and of the job's own word.
// CPU time alone does not break it: a long computation and an endless loop look
// the same from outside, so a job that may be silent for long says so by its
// no_progress, or says `candor progress`.
func (w *worker) watch(a *attempt, proc *process.Process) *order {
	t := &watcher{w: w, a: a, proc: proc}
	t.first()
	step := &a.spec.Step
	var timeout <-chan time.Time
	if step.Timeout > 0 {
		timeout = w.o.Clock.After(step.Timeout.D())
	}
	every := w.o.Sample
	if silent := step.NoProgress.D(); silent > 0 {
		every = max(quickest, min(every, silent/5))
	}
	for {
		select {
		case <-proc.Done():
			return nil
		case o := <-a.orders:
			return t.end(o)
		case <-timeout:
			return t.end(order{outcome: candor.AttemptTimeout, reason: candor.NewReason(candor.ReasonTimeout,
				fmt.Sprintf("ran longer than its timeout of %s; %s", step.Timeout, t.lately())).With("timeout", step.Timeout.String())})
		case <-w.o.Clock.After(every):
			if o := t.look(step.NoProgress.D()); o != nil {
				return t.end(*o)
			}
		}
	}
}

func (t *watcher) first() {
	t.last, _ = t.proc.First() // what could not be measured is not in it
	t.shown = t.last
	t.a.progress.Store(&candor.Progress{At: t.proc.Started(), Kind: "start", PID: t.proc.PID(), State: "running"})
}

// look takes a sample, publishes it as progress, and says whether the silence
// has lasted too long.
func (t *watcher) look(limit time.Duration) *order {
	s, _ := t.proc.Sample() // what could not be measured is not in it
	v := process.Classify(t.last, s)
	t.publish(s, v)
	t.last = s
	if v.Progress {
		t.shown = s
	}
	if silent := s.At.Sub(t.shown.At); limit > 0 && silent >= limit && v.Kind != process.Ended {
		return &order{outcome: candor.AttemptSilent, reason: candor.NewReason(candor.ReasonNoProgress,
			fmt.Sprintf("no progress for %s (limit %s): %s", candor.ShortDuration(silent), candor.ShortDuration(limit), t.lately())).
			With("kind", string(process.Classify(t.shown, s).Kind)).With("limit", candor.ShortDuration(limit))}
	}
	return nil
}

// publish turns a sample into what the reporter tells the brain.
func (t *watcher) publish(s process.Sample, v process.Verdict) {
	p := *t.a.progress.Load()
	p.PID, p.CPU, p.Bytes, p.State = t.proc.PID(), candor.Duration(s.CPU), s.Output.Written, stateOf(s, v)
	if s.Progress != nil {
		p.Done, p.Total, p.Note = s.Progress.Done, s.Progress.Total, s.Progress.Note
	}
	kind := ""
	switch {
	case v.Said:
		kind = "report"
	case v.Output > 0:
		kind = "output"
	case v.Files != 0 || v.Touched:
		kind = "files"
	case v.Kind == process.Spinning:
		kind = "cpu"
	}
	if kind != "" {
		p.At, p.Kind = s.At, kind
	}
	t.a.progress.Store(&p)
}

func stateOf(s process.Sample, v process.Verdict) string {
	if v.Kind == process.Halted || v.Procs > 0 && v.Stopped == v.Procs {
		return string(process.Stopped)
	}
	for _, p := range s.Procs {
		if p.State == process.Running {
			return string(process.Running)
		}
	}
	return string(process.Sleeping)
}

// lately says what the job did since something visible last moved, the kinds of
// silence told apart.
func (t *watcher) lately() string {
	v := process.Classify(t.shown, t.last)
	since := candor.FormatTime(t.shown.At)
	cpu := candor.ShortDuration(v.CPU)
	switch v.Kind {
	case process.Working, process.Ended:
		return "it was working until the end"
	case process.Spinning:
		return fmt.Sprintf("it spins: %s of CPU used since %s, nothing printed, written or reported", cpu, since)
	case process.Halted:
		return fmt.Sprintf("it is stopped (SIGSTOP or a debugger): %s; nothing printed, written or reported since %s", stopped(t.last), since)
	case process.Unknown:
		return fmt.Sprintf("nothing printed, written or reported since %s; its CPU time cannot be measured here", since)
	}
	return fmt.Sprintf("it sleeps: %s of CPU used since %s, nothing printed, written or reported", cpu, since)
}

func stopped(s process.Sample) string {
	var all []process.Proc
	for _, p := range s.Procs {
		if p.State == process.Stopped {
			all = append(all, p)
		}
	}
	return strings.Join(process.Names(all), ", ")
}

// end ends the attempt by TERM, then KILL, and verifies that nothing is left.
// Each step is one line.
func (t *watcher) end(o order) *order {
	w, a, pid := t.w, t.a, t.proc.PID()
	attrs := []slog.Attr{slog.String(record.KeyReason, string(o.reason.Code)), slog.Int(record.KeyPID, pid)}
	what := fmt.Sprintf("%s (%s)", short(a.Task), a.name())
	w.sayTask(slog.LevelWarn, lineEnding, a, fmt.Sprintf("Ending %s: %s; TERM to pid %d and its group", what, o.reason.Text, pid), attrs...)
	r := t.proc.Terminate(context.Background(), w.o.KillGrace)
	if r.KillSent {
		w.sayTask(slog.LevelWarn, lineEnding, a, fmt.Sprintf("KILL to %s: still there %s after TERM", what, candor.ShortDuration(w.o.KillGrace)), attrs...)
	}
	if len(r.Survivors) > 0 {
		w.sayTask(slog.LevelError, lineEnding, a, fmt.Sprintf("KILL did not end all of %s: %s", what, strings.Join(process.Names(r.Survivors), ", ")), attrs...)
		o.reason.With("survived", process.Names(r.Survivors))
		return &o
	}
	w.sayTask(slog.LevelInfo, lineEnding, a, fmt.Sprintf("Ended %s in %s: no process of it is left", what, candor.ShortDuration(r.Took)), attrs...)
	return &o
}
