package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/modelhost"
	"candor/internal/process"
	"candor/internal/record"
)

// attempt is one lease in this worker's hands.
type attempt struct {
	// immutable
	candor.Assignment
	spec   *candor.StepSpec
	dir    string // <state>/attempts/<batch>/<task>/<attempt>
	lease  string // path of its record
	orders chan order

	loan     *modelhost.Loan // of the model server, for a command of class llm
	recorded bool            // something was written to lease; the attempt's goroutine only

	progress atomic.Pointer[candor.Progress]
	process  atomic.Pointer[process.Process] // nil before the start
}

// order ends an attempt before its time.
type order struct {
	outcome candor.AttemptOutcome
	reason  *candor.Reason
}

func (a *attempt) name() string    { return candor.TaskName(a.spec.Step.Name, a.Index) }
func (a *attempt) workDir() string { return filepath.Join(a.dir, "work") }

// order tells the attempt to end. The first one counts; false for later ones.
func (a *attempt) order(o order) bool {
	select {
	case a.orders <- o:
		return true
	default:
		return false
	}
}

// assigned makes attempts of a claim's reply. What names no step of it is the
// brain's mistake; leaving it out lets its lease run out.
func (w *worker) assigned(reply candor.ClaimReply) []*attempt {
	var all []*attempt
	for _, t := range reply.Tasks {
		if t.Spec < 0 || t.Spec >= len(reply.Steps) {
			w.say(slog.LevelError, lineClaim, fmt.Sprintf("Claimed %s without its step: left alone", short(t.Task)), slog.Int64(record.KeyLease, t.Lease))
			continue
		}
		spec := reply.Steps[t.Spec]
		if spec.BatchDir == "" {
			spec.BatchDir = filepath.Join(or(w.board.joined().BatchRoot, filepath.Join(w.o.StateDir, "batches")), spec.Batch.String())
		}
		a := &attempt{
			Assignment: t, spec: &spec, orders: make(chan order, 1), lease: process.LeasePath(w.leases, t.Lease),
			dir: attemptdir.Of(w.o.StateDir, spec.Batch, t.Task, t.Attempt),
		}
		a.progress.Store(&candor.Progress{At: w.o.Clock.Now(), Kind: "start"})
		all = append(all, a)
	}
	return all
}

// begin runs an attempt beside the main loop.
func (w *worker) begin(a *attempt) {
	w.sayTask(slog.LevelInfo, lineClaimed, a, fmt.Sprintf("Claimed %s task: %s (%s)", a.spec.Step.Class, short(a.Task), a.name()))
	w.live.Go(func() {
		begun := w.o.Clock.Now()
		r := w.perform(a)
		if a.process.Load() != nil {
			r.Dir = a.dir
		}
		r.Task, r.Lease, r.Started, r.Took = a.Task, a.Lease, begun, candor.Duration(w.o.Clock.Now().Sub(begun))
		w.conclude(a, r)
	})
}

// perform sees one attempt through. A panic of ours in it is a crash of the
// worker, but the attempt's processes are ended first.
func (w *worker) perform(a *attempt) (r candor.Result) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		c := caught("attempt "+a.Task.String(), p)
		if proc := a.process.Load(); proc != nil {
			proc.Terminate(context.Background(), 0)
		}
		r = candor.Result{Outcome: candor.AttemptLost,
			Reason: candor.NewReason(candor.ReasonWorkerDied, fmt.Sprintf("worker %s crashed: %s", w.o.Name, c.what))}
		w.fell(c)
	}()
	select {
	case o := <-a.orders:
		return candor.Result{Outcome: o.outcome, Reason: o.reason}
	default:
	}
	if f := a.fenced(); f != nil { // the answer that brought it was late: its supervisor has answered for it
		return *f
	}
	switch step := &a.spec.Step; {
	case step.Order != nil:
		return w.carryOut(a)
	case step.LLM != nil:
		return w.answerRows(a)
	case step.Run == "" && len(step.Argv) == 0:
		return candor.Result{Outcome: candor.AttemptDone}
	case step.Class == candor.ClassLLM && w.o.Models != nil:
		return w.withModel(a)
	}
	return w.command(a)
}

// command runs an attempt's command to its end.
func (w *worker) command(a *attempt) candor.Result {
	proc, early := w.start(a)
	if early != nil {
		return *early
	}
	w.o.OnPoint("attempt")
	cause := w.watch(a, proc)
	return w.finish(a, proc, cause)
}

// start prepares the attempt's folder and environment and starts its command,
// whose record is written before there is a process.
func (w *worker) start(a *attempt) (*process.Process, *candor.Result) {
	fail := func(outcome candor.AttemptOutcome, err error) (*process.Process, *candor.Result) {
		code := candor.ReasonStart
		if outcome == candor.AttemptTransient {
			code = candor.ReasonHostFault
		}
		return nil, &candor.Result{Outcome: outcome, Reason: candor.NewReason(code, "could not be started: "+err.Error())}
	}
	env, err := w.environ(a)
	if err != nil {
		return fail(candor.AttemptPermanent, err)
	}
	words, err := argv(&a.spec.Step)
	if err != nil {
		return fail(candor.AttemptPermanent, err)
	}
	if err := a.prepare(); err != nil {
		return fail(candor.AttemptTransient, err)
	}
	spec := process.Spec{
		Argv: words, Dir: a.workDir(), Env: env, Log: a.logFile(),
		// The folder is nobody else's on this host, the lease nobody else's of this brain.
		Mark:         []string{process.EnvLease + "=" + strconv.FormatInt(a.Lease, 10), "CANDOR_WORK_DIR=" + a.workDir()},
		ProgressFile: filepath.Join(a.dir, "progress"), WatchDir: a.workDir(), Cgroup: w.cgroup, Tied: true,
		Family: w.o.Family,
	}
	if err := a.record(process.Intent(spec.Mark, words[0], w.o.Clock.Now())); err != nil {
		return fail(candor.AttemptTransient, err)
	}
	if f := a.fenced(); f != nil {
		return nil, f
	}
	proc, err := process.Start(w.o.Clock, spec)
	if ofTheHost(err) {
		return fail(candor.AttemptTransient, err)
	}
	if err != nil {
		return fail(candor.AttemptFailed, err)
	}
	a.process.Store(proc)
	if err := a.record(proc.Record()); err != nil { // the intent still finds it
		w.sayTask(slog.LevelError, lineDisk, a, "The record of a running attempt could not be written", slog.Any(record.KeyError, err))
	}
	return proc, nil
}

func (a *attempt) logFile() string { return filepath.Join(a.dir, "log") }

// prepare makes the attempt's folder afresh.
func (a *attempt) prepare() error {
	if err := attemptdir.RemoveTree(a.dir); err != nil {
		return fmt.Errorf("clear the attempt's folder: %w", err)
	}
	if err := os.MkdirAll(a.workDir(), 0o755); err != nil {
		return fmt.Errorf("make the attempt's folder: %w", err)
	}
	return nil
}

func (a *attempt) record(r process.Record) error {
	r.Lease, r.Task, r.Log = uint64(a.Lease), a.Task.String(), a.logFile()
	a.recorded = true
	return process.WriteRecord(a.lease, r)
}

// fenced is how an attempt ends that somebody outside has forbidden, nil if
// nobody has: it is handed back, and its end is no fault of the task.
func (a *attempt) fenced() *candor.Result {
	why, fenced := process.Fenced(a.lease)
	if !fenced {
		return nil
	}
	return &candor.Result{Outcome: candor.AttemptAborted, Reason: candor.NewReason(candor.ReasonFenced,
		or(why, fmt.Sprintf("lease %d was taken back while this worker did not answer", a.Lease)))}
}

// conclude makes the result durable, forgets the lease's record if nothing of
// the attempt is left, and lets the main loop deliver.
func (w *worker) conclude(a *attempt, r candor.Result) {
	if err := w.spool.put(r); err != nil {
		w.sayTask(slog.LevelError, lineDisk, a, "The result is not on disk; it is kept in memory until it is delivered", slog.Any(record.KeyError, err))
	}
	if a.recorded && (r.Exit == nil || len(r.Exit.Survived) == 0) {
		if err := process.DropLease(a.lease); err != nil {
			w.sayTask(slog.LevelWarn, lineDisk, a, "The record of an ended attempt stays", slog.Any(record.KeyError, err))
		}
	}
	w.tellEnd(a, r)
	w.tidy(a, r)
	w.board.remove(a.Lease, r.Outcome, w.o.Clock.Now())
	select {
	case w.ended <- struct{}{}:
	default:
	}
}

// tellEnd is the line about how an attempt ended.
func (w *worker) tellEnd(a *attempt, r candor.Result) {
	took := candor.ShortDuration(r.Took.D())
	attrs := []slog.Attr{slog.String(record.KeyState, string(r.Outcome)), slog.Int64(record.KeyDurationMS, r.Took.D().Milliseconds())}
	if r.Exit != nil {
		attrs = append(attrs, slog.Int(record.KeyExit, r.Exit.Code))
		if r.Exit.Signal != "" {
			attrs = append(attrs, slog.String(record.KeySignal, r.Exit.Signal))
		}
	}
	if r.Outcome == candor.AttemptDone {
		w.sayTask(slog.LevelInfo, lineEnded, a, fmt.Sprintf("Completed %s task: %s (%s) in %s", a.spec.Step.Class, short(a.Task), a.name(), took), attrs...)
		return
	}
	level, verb := slog.LevelWarn, "Failed"
	switch r.Outcome {
	case candor.AttemptAborted, candor.AttemptLost:
		level, verb = slog.LevelInfo, "Handed back"
	case candor.AttemptTransient:
		verb = "Gave up for now"
	}
	attrs = append(attrs, slog.String(record.KeyReason, string(r.Reason.Code)))
	w.sayTask(level, lineEnded, a, fmt.Sprintf("%s %s task: %s (%s) after %s: %s", verb, a.spec.Step.Class, short(a.Task), a.name(), took, r.Reason.Text), attrs...)
}
