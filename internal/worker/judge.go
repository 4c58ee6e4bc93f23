package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"candor"
	"candor/internal/process"
)

// Exit codes by which a task says more than that it failed (sysexits.h).
const (
	exitTransient = 75 // EX_TEMPFAIL: try elsewhere, not counted
	exitPermanent = 78 // EX_CONFIG: do not try again
)

// finish judges how an attempt ended, and puts its outputs in place if it ended well.
func (w *worker) finish(a *attempt, proc *process.Process, cause *order) candor.Result {
	var e process.Exit
	select {
	case <-proc.Done():
		e, _ = proc.Wait(context.Background()) // done: it cannot wait
	default: // even KILL did not end it
		e = process.Exit{Code: -1, Survivors: survivors(proc), Output: proc.Output()}
	}
	left, alive := w.o.Family.EndOrphans(w.o.Clock, killPatience)
	e.Survivors = append(e.Survivors, alive...)
	if len(left) > 0 {
		w.sayTask(slog.LevelWarn, lineEnding, a, fmt.Sprintf("Ended what had escaped %s (%s), or another attempt that ended before it: %s",
			short(a.Task), a.name(), strings.Join(process.Names(left), ", ")))
	}
	r := candor.Result{Exit: exitOf(e)}
	f := a.fenced()
	switch {
	case cause != nil:
		r.Outcome, r.Reason = cause.outcome, cause.reason
	case f != nil:
		r.Outcome, r.Reason = f.Outcome, f.Reason
	case !e.OK():
		r.Outcome, r.Reason = w.blame(e)
	default:
		w.harvest(a, &r)
	}
	if len(e.Stragglers) > 0 && cause == nil {
		w.sayTask(slog.LevelWarn, lineEnding, a, fmt.Sprintf("%s (%s) left processes behind, which were killed: %s",
			short(a.Task), a.name(), strings.Join(process.Names(e.Stragglers), ", ")))
	}
	if r.Outcome != candor.AttemptDone {
		r.Tail = proc.Tail()
		sayLast(&r)
	}
	if e.Output.Truncated {
		w.sayTask(slog.LevelInfo, lineEnding, a, fmt.Sprintf("Log of %s (%s) truncated: %s written, its beginning and end kept",
			short(a.Task), a.name(), candor.Bytes(e.Output.Written)))
	}
	return r
}

func survivors(proc *process.Process) []process.Proc {
	s, _ := proc.Sample()
	var all []process.Proc
	for _, p := range s.Procs {
		if p.State.Alive() {
			all = append(all, p)
		}
	}
	return all
}

func exitOf(e process.Exit) *candor.Exit {
	x := &candor.Exit{
		Code: e.Code, Signal: e.SignalText(), CPU: candor.Duration(e.User + e.System), MaxRSS: candor.Bytes(e.MaxRSS),
		Written: e.Output.Written, Cut: e.Output.Truncated, Survived: process.Names(e.Survivors),
	}
	if e.Cause == process.CauseOOM || e.Cause == process.CauseMaybeOOM {
		x.OOM = e.Evidence
	}
	return x
}

// blame reads an end that was neither well nor ours.
func (w *worker) blame(e process.Exit) (candor.AttemptOutcome, *candor.Reason) {
	ran := candor.ShortDuration(e.Ran)
	because := func(code candor.ReasonCode, text string) *candor.Reason {
		return candor.NewReason(code, text).With("exit", e.Code)
	}
	switch {
	case e.Cause == process.CauseOOM:
		return candor.AttemptFailed, because(candor.ReasonExitOOM, fmt.Sprintf("%s after %s: %s", e, ran, e.Evidence))
	case e.Signal != 0:
		return candor.AttemptFailed, because(candor.ReasonExitSignal, fmt.Sprintf("%s after %s: %s", e, ran, e.Evidence)).With("signal", e.SignalText())
	case e.Code == exitTransient:
		return candor.AttemptTransient, because(candor.ReasonExitTransient, fmt.Sprintf("exit %d after %s: by its own word not now, not here", e.Code, ran))
	case e.Code == exitPermanent:
		return candor.AttemptPermanent, because(candor.ReasonExitPermanent, fmt.Sprintf("exit %d after %s: by its own word no retry can help", e.Code, ran))
	case w.o.BadWorkerExit != 0 && e.Code == w.o.BadWorkerExit:
		return candor.AttemptBadWorker, because(candor.ReasonExitBadWorker,
			fmt.Sprintf("exit %d after %s: by its own word the fault is of worker %s", e.Code, ran, w.o.Name)).With("worker", w.o.Name)
	}
	text := fmt.Sprintf("exit %d after %s", e.Code, ran)
	if e.Evidence != "" { // 137: how a shell passes a KILL on
		text += ", which is how a shell says KILL (9): " + e.Evidence
	}
	return candor.AttemptFailed, because(candor.ReasonExitCode, text)
}
