package sqlite

import (
	"context"
	"database/sql"

	"candor"
	"candor/internal/sched"
)

// Resolve finds batches and tasks by a prefix of their id. Ids are scrambled
// sequence numbers, so no index can help; but the numbers in use are known
// ranges, and to look at one costs nanoseconds: ten million tasks, 30 ms.
func (r *reader) Resolve(ctx context.Context, prefix string, limit int) (refs sched.Refs, err error) {
	p, ok := candor.ParseIDPrefix(prefix)
	if !ok || limit <= 0 {
		return refs, nil
	}
	err = r.view(ctx, "resolve "+prefix, func(tx *sql.Tx) error {
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			var id candor.BatchID
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if p.MatchBatch(id) {
				refs.Batches = append(refs.Batches, id)
			}
			return enough(len(refs.Batches) == limit)
		}, `SELECT id FROM batch ORDER BY id`); err != nil {
			return err
		}
		return each(ctx, tx, func(rows *sql.Rows) error {
			var first, last candor.TaskID
			if err := rows.Scan(&first, &last); err != nil {
				return err
			}
			for id := first; id <= last && len(refs.Tasks) < limit; id++ {
				if p.MatchTask(id) {
					refs.Tasks = append(refs.Tasks, id)
				}
			}
			return enough(len(refs.Tasks) == limit)
		}, `SELECT first, last FROM span WHERE batch IS NOT NULL ORDER BY first`)
	})
	return refs, err
}

func enough(yes bool) error {
	if yes {
		return errEnough
	}
	return nil
}
