package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"candor"
	"candor/internal/sched"
)

// Tasks lists tasks by id. Spans lead to them, so that a page of one batch or
// step reads that batch's rows only.
func (r *reader) Tasks(ctx context.Context, q candor.TaskQuery) ([]candor.Task, error) {
	var list []candor.Task
	err := r.view(ctx, "list tasks", func(tx *sql.Tx) error {
		sh := newShower(tx)
		query, args := tasksQuery(q)
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			rec, err := scanSpanTask(rows, sh.names)
			if err != nil {
				return err
			}
			// Steps and items are looked up when this cursor is closed.
			list = append(list, showTask(&rec))
			sh.steps = append(sh.steps, stepKey{rec.Batch, rec.Step})
			return nil
		}, query, args...); err != nil {
			return err
		}
		for i := range list {
			if err := sh.complete(ctx, &list[i], sh.steps[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// tasksQuery walks spans in order and the tasks of each in order: the sorted
// output costs no sorting. The unary plus keeps SQLite from leaving that order
// for an index.
func tasksQuery(q candor.TaskQuery) (query string, args []any) {
	where := ` WHERE span.last > ?`
	args = append(args, int64(q.After), int64(q.After))
	if q.Batch != 0 {
		where += ` AND +span.batch = ? AND span.first BETWEEN (SELECT min(first) FROM span WHERE batch = ?) AND (SELECT max(first) FROM span WHERE batch = ?)`
		args = append(args, int64(q.Batch), int64(q.Batch), int64(q.Batch))
	} else {
		where += ` AND span.batch IS NOT NULL`
	}
	for _, f := range []struct{ column, value string }{
		{"step.name", q.Step}, {"step.class", string(q.Class)}, {"task.state", string(q.State)}, {"task.worker", q.Worker},
	} {
		if f.value != "" {
			where += ` AND ` + f.column + ` = ?`
			args = append(args, f.value)
		}
	}
	if i := stateIndex(q.State); i >= 0 { // steps without such a task are passed over
		where += ` AND step.` + string(q.State) + ` > 0`
	}
	return `SELECT ` + taskColumns + `, span.first, span.last, span.batch, span.step, span.first_index
		FROM span CROSS JOIN step ON step.batch = +span.batch AND step.number = span.step
		CROSS JOIN task ON task.id BETWEEN max(span.first, ? + 1) AND span.last` + where +
		` ORDER BY span.first, task.id LIMIT ?`, append(args, limit(q.Limit, 100))
}

func scanSpanTask(rows *sql.Rows, names names) (rec sched.TaskRecord, err error) {
	var sp span
	if err := scanTask(rows, &rec, names, &sp.first, &sp.last, &sp.batch, &sp.step, &sp.firstIndex); err != nil {
		return rec, err
	}
	sp.fill(&rec)
	return rec, nil
}

// Task returns one task.
func (r *reader) Task(ctx context.Context, id candor.TaskID) (candor.Task, error) {
	var task candor.Task
	err := r.view(ctx, "read task "+id.String(), func(tx *sql.Tx) error {
		sh := newShower(tx)
		rec, err := sh.record(ctx, id)
		if err != nil {
			return err
		}
		task = showTask(&rec)
		return sh.complete(ctx, &task, stepKey{rec.Batch, rec.Step})
	})
	return task, err
}

// record reads one task's record without its item.
func (sh *shower) record(ctx context.Context, id candor.TaskID) (rec sched.TaskRecord, err error) {
	err = found(sql.ErrNoRows, "task "+id.String())
	e := each(ctx, sh.tx, func(rows *sql.Rows) error {
		rec, err = scanSpanTask(rows, sh.names)
		return err
	}, `SELECT `+taskColumns+`, span.first, span.last, span.batch, span.step, span.first_index FROM span JOIN task ON task.id = ?1
		WHERE span.first = (SELECT max(first) FROM span WHERE first <= ?1) AND span.last >= ?1 AND span.batch IS NOT NULL`, int64(id))
	if e != nil {
		err = e
	}
	return rec, err
}

// showTask is a task as the API shows it, without what its step and batch say.
// Worker and lease are those of the attempt that runs or ended it: one that waits
// has neither, and what became of its former attempt stands in Last.
func showTask(r *sched.TaskRecord) candor.Task {
	return candor.Task{
		ID: r.ID, Batch: r.Batch, Index: r.Index, State: r.State, Attempt: r.Attempt, Counted: r.Counted, Tries: r.Tries,
		Worker: r.Worker, Lease: r.Lease, Aborting: string(r.Aborting),
		QueuedAt: r.QueuedAt, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, NotBefore: r.NotBefore, Reason: r.Reason, Last: r.Last,
	}
}

// shower adds to tasks what their steps, batches and blocks of items say; each
// of them is read once for a page.
type shower struct {
	tx    *sql.Tx
	names names
	steps []stepKey // of the tasks of a page

	specs map[stepKey]*shownStep
	first candor.TaskID // of the block of items at hand
	items [][]byte
}

type shownStep struct {
	spec    candor.Step
	created int64
}

func newShower(tx *sql.Tx) *shower {
	return &shower{tx: tx, names: names{}, specs: map[stepKey]*shownStep{}}
}

func (sh *shower) complete(ctx context.Context, t *candor.Task, key stepKey) error {
	st, err := sh.step(ctx, key)
	if err != nil {
		return err
	}
	t.Step, t.Name = st.spec.Name, candor.TaskName(st.spec.Name, t.Index)
	t.Class, t.Priority, t.Model = st.spec.Class, st.spec.Priority, st.spec.Model
	t.CreatedAt = fromMicro(st.created)
	t.Item, err = sh.item(ctx, t.ID)
	return err
}

func (sh *shower) step(ctx context.Context, key stepKey) (*shownStep, error) {
	if st := sh.specs[key]; st != nil {
		return st, nil
	}
	var spec []byte
	st := &shownStep{}
	if err := sh.tx.QueryRowContext(ctx, `SELECT step.spec, batch.created_at FROM step JOIN batch ON batch.id = step.batch
		WHERE step.batch = ? AND step.number = ?`, int64(key.batch), int64(key.step)).Scan(&spec, &st.created); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(spec, &st.spec); err != nil {
		return nil, fmt.Errorf("read step %d of batch %s: %w", key.step, key.batch, err)
	}
	sh.specs[key] = st
	return st, nil
}

// item is a task's item; nil if it has none.
func (sh *shower) item(ctx context.Context, id candor.TaskID) (json.RawMessage, error) {
	if i := int(id - sh.first); sh.items == nil || i < 0 || i >= len(sh.items) {
		var last candor.TaskID
		var data []byte
		err := sh.tx.QueryRowContext(ctx, `SELECT first, last, data FROM item WHERE first <= ? ORDER BY first DESC LIMIT 1`, int64(id)).
			Scan(&sh.first, &last, &data)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && last < id:
			sh.items = nil
			return nil, nil
		case err != nil:
			return nil, err
		}
		if sh.items, err = splitItems(data, int(last-sh.first)+1); err != nil {
			return nil, err
		}
	}
	return sh.items[id-sh.first], nil
}

// Attempts returns a task's ended attempts, oldest first. Of one that completed
// its task nothing is stored but the task itself, unless it had something to say.
func (r *reader) Attempts(ctx context.Context, id candor.TaskID) ([]candor.Attempt, error) {
	var list []candor.Attempt
	err := r.view(ctx, "read attempts of "+id.String(), func(tx *sql.Tx) error {
		rec, err := newShower(tx).record(ctx, id)
		if err != nil {
			return err
		}
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			var data []byte
			if err := rows.Scan(&data); err != nil {
				return err
			}
			list = append(list, candor.Attempt{})
			return json.Unmarshal(data, &list[len(list)-1])
		}, `SELECT data FROM attempt WHERE task = ? ORDER BY number`, int64(id)); err != nil {
			return err
		}
		if rec.State == candor.TaskComplete {
			list = append(list, lastAttempt(&rec))
		}
		return nil
	})
	return list, err
}

// lastAttempt is the attempt that completed a task.
func lastAttempt(r *sched.TaskRecord) candor.Attempt {
	if r.Last != nil && r.Last.Number == r.Attempt && r.Last.Outcome == candor.AttemptDone {
		return *r.Last
	}
	return candor.Attempt{
		Number: r.Attempt, Worker: r.Worker, Lease: r.Lease, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Outcome: candor.AttemptDone, Counted: true,
	}
}
