package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"

	"candor"
	"candor/internal/modelhost"
	"candor/internal/record"
	"candor/internal/rows"
)

// answerRows performs an llm task that is declared in its plan.
func (w *worker) answerRows(a *attempt) candor.Result {
	if w.o.Models == nil {
		return candor.Result{Outcome: candor.AttemptPermanent,
			Reason: candor.NewReason(candor.ReasonWrongClass, w.o.Name+" has no model server to ask")}
	}
	if err := a.prepare(); err != nil { // our disk, not the task
		return candor.Result{Outcome: candor.AttemptTransient, Reason: candor.NewReason(candor.ReasonHostFault, "could not be started: "+err.Error())}
	}
	r := w.within(a, func(ctx context.Context) candor.Result {
		totals, err := rows.Run(ctx, w.job(a))
		r := candor.Result{Outcome: candor.AttemptDone, Rows: &totals}
		if err != nil {
			r.Outcome, r.Reason = rowsVerdict(err)
		}
		return r
	})
	switch r.Outcome {
	case candor.AttemptDone:
		if f := a.fenced(); f != nil {
			return *f
		}
		w.harvest(a, &r)
	case candor.AttemptFailed, candor.AttemptPermanent:
		w.salvage(a, &r)
	}
	return r
}

// salvage puts in place what a failed attempt has of its results: each row's
// own error, with the answer that was none. They are there only when every row
// has one.
func (w *worker) salvage(a *attempt, r *candor.Result) {
	there := maps.Clone(a.spec.Step.Outputs)
	maps.DeleteFunc(there, func(_, file string) bool {
		_, err := os.Stat(filepath.Join(a.workDir(), filepath.FromSlash(file)))
		return err != nil
	})
	if len(there) == 0 || a.fenced() != nil {
		return
	}
	found, err := findOutputs(a.workDir(), there)
	if err == nil {
		outputs := weigh(there, found)
		if err = publish(a, found); err == nil {
			r.Outputs = outputs
		}
	}
	if err != nil && !errors.Is(err, errNewer) {
		w.sayTask(slog.LevelError, lineDisk, a, "The results of a failed task could not be put in place", slog.Any(record.KeyError, err))
	}
}

func rowsVerdict(err error) (candor.AttemptOutcome, *candor.Reason) {
	if e, ok := errors.AsType[*rows.Error](err); ok {
		return e.Outcome, e.Reason
	}
	return verdict(err)
}

// job is an attempt as package rows takes it.
func (w *worker) job(a *attempt) rows.Job {
	return rows.Job{
		Task: a.Task, Index: a.Index, Item: a.Item, Chunk: a.spec.Chunk > 0, Step: &a.spec.Step, Worker: w.o.Name,
		Dir: a.workDir(), Clock: w.o.Clock, Lender: lender{w.o.Models},
		Need:     a.needOutput,
		Tell:     func(p candor.Progress) { w.tell(a, p) },
		Hold:     func(ctx context.Context) error { return w.cool(ctx, a) },
		Parallel: func() int { return max(1, w.o.Models.Serving().Slots) },
	}
}

// needOutput is where an output of a needed step lies, for this attempt's item.
func (a *attempt) needOutput(step, output string) (string, error) {
	for _, n := range a.spec.Needs {
		if n.Step != step {
			continue
		}
		file, declared := n.Outputs[output]
		if !declared {
			return "", fmt.Errorf("%s has no output %s", step, output)
		}
		if n.FansOut && !n.Each {
			return "", fmt.Errorf("%s has an output %s for each of its items", step, output)
		}
		index := -1
		if n.FansOut {
			index = a.Index
		}
		return filepath.Join(outputDir(a.spec.BatchDir, step, index), filepath.FromSlash(file)), nil
	}
	return "", fmt.Errorf("%s is not needed by this task", step)
}

// cool waits while the brain says that the card is too hot.
func (w *worker) cool(ctx context.Context, a *attempt) error {
	for {
		text, changed := w.board.hot()
		if text == "" {
			return nil
		}
		p := *a.progress.Load()
		p.Kind, p.Note, p.At = kindHeat, text, w.o.Clock.Now()
		a.progress.Store(&p)
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// lender lends the model server's slots row by row.
type lender struct{ host *modelhost.Host }

func (l lender) Borrow(ctx context.Context, want rows.Want, tell func(candor.Progress)) (rows.Loan, error) {
	loan, err := l.host.Borrow(ctx, modelhost.Want{Model: want.Model, Accept: want.Accept, Context: want.Context}, tell)
	if err != nil {
		return rows.Loan{}, err
	}
	return rows.Loan{
		Server: loan.Server, Model: loan.Model, Digest: loan.Digest, Settings: loan.Settings, Simulated: loan.Simulated,
		Return: func(err error) { loan.Return(outcomeOf(err)) },
	}, nil
}
