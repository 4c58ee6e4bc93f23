package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"candor"
	"candor/internal/sched"
)

// Load returns the live state.
func (s *Store) Load(ctx context.Context) (*sched.Snapshot, error) {
	var snap sched.Snapshot
	err := s.view(ctx, "load the state", func(tx *sql.Tx) error {
		m := &snap.Meta
		if err := tx.QueryRowContext(ctx, `SELECT revision, next_task, next_batch, next_lease, first_lease, next_session, next_event FROM meta`).
			Scan(&snap.Revision, &m.NextTask, &m.NextBatch, &m.NextLease, &m.FirstLease, &m.NextSession, &m.NextEvent); err != nil {
			return err
		}
		if err := loadWorkers(ctx, tx, &snap); err != nil {
			return err
		}
		var err error
		if snap.Models, err = loadModels(ctx, tx); err != nil {
			return err
		}
		if snap.Pauses, err = loadPauses(ctx, tx); err != nil {
			return err
		}
		var ids []candor.BatchID
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			var id candor.BatchID
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, `SELECT id FROM batch WHERE state = 'active' ORDER BY id`); err != nil {
			return err
		}
		for _, id := range ids {
			b, err := loadBatch(ctx, tx, id)
			if err != nil {
				return err
			}
			snap.Batches = append(snap.Batches, *b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &snap, nil
}

// LoadBatch returns one batch whole.
func (s *Store) LoadBatch(ctx context.Context, id candor.BatchID) (*sched.LoadedBatch, error) {
	var b *sched.LoadedBatch
	err := s.view(ctx, "load batch "+id.String(), func(tx *sql.Tx) (err error) {
		b, err = loadBatch(ctx, tx, id)
		return err
	})
	return b, err
}

func loadBatch(ctx context.Context, tx *sql.Tx, id candor.BatchID) (*sched.LoadedBatch, error) {
	rec, err := readBatch(tx.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM batch WHERE id = ?`, int64(id)))
	if err != nil {
		return nil, found(err, "batch "+id.String())
	}
	b := &sched.LoadedBatch{Batch: rec}
	b.Batch.Was = rec.State
	steps, err := readSteps(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		b.Steps = append(b.Steps, steps[i].StepRecord)
	}
	spans, total, err := readSpans(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	b.Tasks = make([]sched.TaskRecord, 0, total)
	for _, sp := range spans {
		if b.Tasks, err = sp.load(ctx, tx, b.Tasks); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// span is a run of tasks of one step.
type span struct {
	first, last candor.TaskID
	batch       candor.BatchID
	step        int
	firstIndex  int
}

func readSpans(ctx context.Context, tx *sql.Tx, id candor.BatchID) (spans []span, total int, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		sp := span{batch: id}
		err := rows.Scan(&sp.first, &sp.last, &sp.step, &sp.firstIndex)
		spans = append(spans, sp)
		total += int(sp.last-sp.first) + 1
		return err
	}, `SELECT first, last, step, first_index FROM span WHERE batch = ? ORDER BY first`, int64(id))
	return spans, total, err
}

// fill sets what all tasks of a span share, and its index.
func (sp *span) fill(r *sched.TaskRecord) {
	r.Batch, r.Step, r.Index = sp.batch, sp.step, sp.firstIndex
	if sp.firstIndex >= 0 {
		r.Index += int(r.ID - sp.first)
	}
	r.Was, r.WasLease = r.State, r.Lease
}

// load appends the tasks of a span, with their items.
func (sp *span) load(ctx context.Context, tx *sql.Tx, tasks []sched.TaskRecord) ([]sched.TaskRecord, error) {
	start := len(tasks)
	names := names{}
	if err := each(ctx, tx, func(rows *sql.Rows) error {
		var r sched.TaskRecord
		if err := scanTask(rows, &r, names); err != nil {
			return err
		}
		sp.fill(&r)
		tasks = append(tasks, r)
		return nil
	}, `SELECT `+taskColumns+` FROM task WHERE id BETWEEN ? AND ? ORDER BY id`, int64(sp.first), int64(sp.last)); err != nil {
		return nil, err
	}
	if got, want := len(tasks)-start, int(sp.last-sp.first)+1; got != want {
		return nil, fmt.Errorf("batch %s, step %d: %d tasks in the store instead of %d", sp.batch, sp.step, got, want)
	}
	fresh := tasks[start:]
	return tasks, each(ctx, tx, func(rows *sql.Rows) error {
		var first, last candor.TaskID
		var data []byte
		if err := rows.Scan(&first, &last, &data); err != nil {
			return err
		}
		items, err := splitItems(data, int(last-first)+1)
		for i, item := range items {
			fresh[int(first-sp.first)+i].Item = item
		}
		return err
	}, `SELECT first, last, data FROM item WHERE first BETWEEN ?1 AND ?2 AND last <= ?2 ORDER BY first`,
		int64(sp.first), int64(sp.last))
}

// taskColumns are what scanTask reads.
const taskColumns = `task.id, task.state, task.attempt, task.counted, task.tries, task.worker, task.lease,
	task.queued_at, task.started_at, task.finished_at, task.extra`

// names keeps one copy of each worker's name.
type names map[string]string

func (n names) one(name []byte) string {
	if len(name) == 0 {
		return ""
	}
	if s, ok := n[string(name)]; ok {
		return s
	}
	s := string(name)
	n[s] = s
	return s
}

// scanTask reads a task's row; what its span says is not in it.
func scanTask(rows *sql.Rows, r *sched.TaskRecord, names names, more ...any) error {
	var state, worker, extra sql.RawBytes
	var queued, started, finished int64
	dest := append([]any{&r.ID, &state, &r.Attempt, &r.Counted, &r.Tries, &worker, &r.Lease, &queued, &started, &finished, &extra}, more...)
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	r.State, r.Worker = taskState(string(state)), names.one(worker)
	r.QueuedAt, r.StartedAt, r.FinishedAt = fromMicro(queued), fromMicro(started), fromMicro(finished)
	if extra != nil {
		return readExtra(r, string(extra))
	}
	return nil
}

func loadWorkers(ctx context.Context, tx *sql.Tx, snap *sched.Snapshot) error {
	return each(ctx, tx, func(rows *sql.Rows) error {
		var w sched.WorkerRecord
		var joined, seen int64
		var info, account []byte
		if err := rows.Scan(&w.Session, &w.State, &w.Draining, &joined, &seen, &w.Completed, &w.Failed, &info, &account); err != nil {
			return err
		}
		w.JoinedAt, w.SeenAt = fromMicro(joined), fromMicro(seen)
		if account != nil {
			if err := json.Unmarshal(account, &w.Account); err != nil {
				return err
			}
		}
		var more workerInfo
		if err := json.Unmarshal(info, &more); err != nil {
			return err
		}
		w.Info, w.Drain = more.WorkerInfo, more.Drain
		snap.Workers = append(snap.Workers, w)
		return nil
	}, `SELECT session, state, draining, joined_at, seen_at, completed, failed, info, account FROM worker ORDER BY name`)
}

func loadModels(ctx context.Context, tx *sql.Tx) (models []sched.ModelRecord, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var m sched.ModelRecord
		var data []byte
		if err := rows.Scan(&m.Name, &data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("read model %q: %w", m.Name, err)
		}
		models = append(models, m)
		return nil
	}, `SELECT name, data FROM model ORDER BY name`)
	return models, err
}

func loadPauses(ctx context.Context, tx *sql.Tx) (pauses []candor.Pause, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var p candor.Pause
		var at int64
		err := rows.Scan(&p.Scope, &p.Target, &p.By, &p.Why, &at)
		p.At = fromMicro(at)
		pauses = append(pauses, p)
		return err
	}, `SELECT scope, target, by, why, at FROM pause ORDER BY at, scope, target`)
	return pauses, err
}
