package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"candor"
	"candor/internal/sched"
)

const batchColumns = `id, name, coalesce(key, ''), state, outcome, cancelled, created_at, finished_at, expires_at,
	plan_file, plan_dir, coalesce(inputs, ''), total, coalesce(counts, ''), kind`

// scanner is a row, of one or of many.
type scanner interface{ Scan(dest ...any) error }

func readBatch(row scanner) (b sched.BatchRecord, err error) {
	var created, finished, expires int64
	var inputs, counts string
	if err := row.Scan(&b.ID, &b.Name, &b.Key, &b.State, &b.Outcome, &b.Cancelled, &created, &finished, &expires,
		&b.PlanFile, &b.PlanDir, &inputs, &b.Total, &counts, &b.Kind); err != nil {
		return b, err
	}
	b.CreatedAt, b.FinishedAt, b.ExpiresAt = fromMicro(created), fromMicro(finished), fromMicro(expires)
	if inputs != "" {
		b.Inputs = json.RawMessage(inputs)
	}
	if counts != "" {
		if err := json.Unmarshal([]byte(counts), &b.Counts); err != nil {
			return b, fmt.Errorf("read counts of batch %s: %w", b.ID, err)
		}
	}
	return b, nil
}

// countedStep is a step with how many of its tasks are in which state.
type countedStep struct {
	sched.StepRecord
	counts [6]int
}

func readSteps(ctx context.Context, tx *sql.Tx, id candor.BatchID) (steps []countedStep, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var spec, flag []byte
		st := countedStep{StepRecord: sched.StepRecord{Batch: id}}
		c := &st.counts
		if err := rows.Scan(&st.Number, &spec, &st.Expanded, &st.Total, &flag, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5]); err != nil {
			return err
		}
		if err := json.Unmarshal(spec, &st.Step); err != nil {
			return fmt.Errorf("read step %d of batch %s: %w", st.Number, id, err)
		}
		if flag != nil {
			if err := json.Unmarshal(flag, &st.Flag); err != nil {
				return fmt.Errorf("read flag of step %d of batch %s: %w", st.Number, id, err)
			}
		}
		steps = append(steps, st)
		return nil
	}, `SELECT number, spec, expanded, total, flag, blocked, queued, processing, complete, failed, cancelled
		FROM step WHERE batch = ? ORDER BY number`, int64(id))
	return steps, err
}

// showBatch is a batch as the API shows it, without steps and counts.
func showBatch(r *sched.BatchRecord) candor.Batch {
	return candor.Batch{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Key: r.Key, State: r.State, Outcome: r.Outcome,
		CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt, ExpiresAt: r.ExpiresAt,
		Total: r.Total, Counts: r.Counts, PlanFile: r.PlanFile, Inputs: r.Inputs,
	}
}

// Batch returns one batch with steps and counts.
func (r *reader) Batch(ctx context.Context, id candor.BatchID) (candor.Batch, error) {
	var b candor.Batch
	err := r.view(ctx, "read batch "+id.String(), func(tx *sql.Tx) error {
		rec, err := readBatch(tx.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM batch WHERE id = ?`, int64(id)))
		if err != nil {
			return found(err, "batch "+id.String())
		}
		b = showBatch(&rec)
		steps, err := readSteps(ctx, tx, id)
		if err != nil {
			return err
		}
		var counts [6]int
		for i := range steps {
			st := &steps[i]
			b.Steps = append(b.Steps, candor.StepView{
				Name: st.Step.Name, Class: st.Step.Class, Needs: st.Step.Needs, Expanded: st.Expanded, FansOut: st.Step.Each != nil,
				Total: st.Total, Counts: countMap(st.counts), Outputs: st.Step.Outputs, Asks: st.Step.LLM != nil, Flag: st.Flag,
			})
			for k, n := range st.counts {
				counts[k] += n
			}
		}
		b.Counts = countMap(counts)
		b.Paused, err = batchPause(ctx, tx, id)
		return err
	})
	return b, err
}

func batchPause(ctx context.Context, tx *sql.Tx, id candor.BatchID) (*candor.Pause, error) {
	pauses, err := loadPauses(ctx, tx)
	for i := range pauses {
		if pauses[i].Scope == "batch" && pauses[i].Target == id.String() {
			return &pauses[i], err
		}
	}
	return nil, err
}

// Batches lists batches, newest first, without their steps.
func (r *reader) Batches(ctx context.Context, q candor.BatchQuery) ([]candor.Batch, error) {
	var list []candor.Batch
	before := int64(q.Before)
	if before == 0 {
		before = candor.MaxID + 1
	}
	err := r.view(ctx, "list batches", func(tx *sql.Tx) error {
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			rec, err := readBatch(rows)
			list = append(list, showBatch(&rec))
			return err
		}, `SELECT `+batchColumns+` FROM batch WHERE id < ?1 AND (?2 = '' OR state = ?2) AND kind = ?4 ORDER BY id DESC LIMIT ?3`,
			before, string(q.State), limit(q.Limit, 100), q.Kind); err != nil {
			return err
		}
		for i := range list {
			var c [6]int
			if err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(blocked), 0), coalesce(sum(queued), 0), coalesce(sum(processing), 0),
				coalesce(sum(complete), 0), coalesce(sum(failed), 0), coalesce(sum(cancelled), 0) FROM step WHERE batch = ?`,
				int64(list[i].ID)).Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5]); err != nil {
				return err
			}
			list[i].Counts = countMap(c)
			var err error
			if list[i].Paused, err = batchPause(ctx, tx, list[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// BatchByKey finds a batch by its submission key.
func (r *reader) BatchByKey(ctx context.Context, key string) (candor.BatchID, error) {
	var id candor.BatchID
	err := r.view(ctx, "find batch by key", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id FROM batch WHERE key = ?`, key).Scan(&id)
		return found(err, fmt.Sprintf("batch with the key %q", key))
	})
	return id, err
}
