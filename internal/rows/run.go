package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"candor"
)

// run is one job under way.
type run struct {
	// immutable
	Job
	items []json.RawMessage
	form  form
	needs needs
	tell  *teller

	// Run's goroutine only
	journal *journal
	rows    []*row // by position; nil: not ended
}

// Run answers all rows of a job and writes the results into its folder. The
// totals are of the rows that have ended, also with an error, which is *Error
// or the context's.
func Run(ctx context.Context, j Job) (candor.RowTotals, error) {
	r, err := prepare(j)
	if err != nil {
		return candor.RowTotals{}, err
	}
	err = r.all(ctx)
	totals := sum(r.rows)
	alike(&totals, r.rows, j.Step.LLM.Schema)
	if err == nil {
		err = r.conclude(totals)
	}
	return totals, err
}

// prepare reads what all rows have in common, so that what is wrong with it is
// said before anything is sent.
func prepare(j Job) (*run, error) {
	refused := func(format string, args ...any) error {
		return &Error{candor.AttemptPermanent, candor.NewReason(candor.ReasonRequestRefused, clip(fmt.Sprintf(format, args...), maxText))}
	}
	r := &run{Job: j}
	var err error
	if r.items, err = j.items(); err != nil {
		return nil, refused("%v", err)
	}
	if r.form, err = newForm(j.Step.LLM.Schema); err != nil {
		return nil, refused("the schema of its answers cannot be used: %v", err)
	}
	r.needs, err = readNeeds(j.Step.LLM, j.Need)
	switch {
	case errors.Is(err, errAbsent):
		return nil, refused("the prompt could not be made: %v", err)
	case err != nil: // our disk, not the task
		return nil, diskError(err)
	}
	r.rows = make([]*row, len(r.items))
	r.tell = &teller{clk: j.Clock, to: j.Tell, total: int64(len(r.items))}
	return r, nil
}

// turn is how a row's goroutine ended.
type turn struct {
	row   *row
	err   error
	panic string
}

// all has as many rows under way as Parallel says, until each has its result or
// one fault ends them all.
func (r *run) all(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var err error
	if r.journal, err = r.openJournal(); err != nil {
		return diskError(err)
	}
	turns := make(chan turn)
	next, busy := 0, 0
	var end error
	defer func() { r.journal.close(end != nil) }()
	for {
		for end == nil && next < len(r.items) && busy < max(1, r.Parallel()) {
			go r.turn(ctx, next, turns)
			next++
			busy++
		}
		if busy == 0 {
			return end
		}
		t := <-turns
		busy--
		if err := r.take(t); err != nil && end == nil {
			end = err
			cancel(errPassedOver)
		}
	}
}

// turn has one row answered, in a goroutine of its own. A panic goes on in Run's.
func (r *run) turn(ctx context.Context, i int, turns chan<- turn) {
	var t turn
	defer func() {
		if p := recover(); p != nil {
			t = turn{panic: fmt.Sprintf("row %d: %v\n%s", i, p, debug.Stack())}
		}
		turns <- t
	}()
	if ctx.Err() != nil {
		t.err = context.Cause(ctx)
		return
	}
	t.row, t.err = r.row(ctx, i)
}

// take keeps what became of a row. An error ends all the others.
func (r *run) take(t turn) error {
	switch {
	case t.panic != "":
		panic(t.panic)
	case t.err != nil:
		return t.err
	}
	r.rows[t.row.Row] = t.row
	if err := r.journal.add(t.row.RowResult); err != nil {
		return diskError(err)
	}
	r.tell.ended()
	if r.Chunk && r.Step.LLM.Strict && t.row.Error != nil {
		return failure(t.row, fmt.Sprintf("row %d of %d failed, and its step is strict: %s", t.row.Row, len(r.items), t.row.Error.Text))
	}
	return nil
}

// conclude writes the results and says whether the task is done: some rows of a
// chunk may fail, not all, and a single row may not.
func (r *run) conclude(totals candor.RowTotals) error {
	if err := r.write(); err != nil {
		return diskError(err)
	}
	switch first := r.rows[0]; {
	case totals.Failed < totals.Rows:
		return nil
	case !r.Chunk:
		return failure(first, first.Error.Text)
	default:
		return failure(first, fmt.Sprintf("all %d rows failed; the first: %s", totals.Rows, first.Error.Text))
	}
}

// failure is the task's, by a row's error.
func failure(w *row, text string) *Error {
	outcome := candor.AttemptFailed
	if w.final {
		outcome = candor.AttemptPermanent
	}
	reason := candor.NewReason(candor.ReasonCode(w.Error.Code), clip(text, maxText)).With("row", w.Row)
	return &Error{outcome, operands(reason, w.fault)}
}

// diskError is the fault of the worker's disk, not of the task.
func diskError(err error) *Error {
	return &Error{candor.AttemptTransient, candor.NewReason(candor.ReasonHostFault, "the results could not be kept: "+err.Error())}
}
