package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"candor"
)

// Events returns events, oldest first. What stands beside a block of events
// lets whole blocks be passed over: the ids of tasks and batches in it, the
// workers, the loudest level.
func (r *reader) Events(ctx context.Context, q candor.EventQuery) ([]candor.Event, error) {
	want := limit(q.Limit, 1000)
	backward := q.Last > 0
	if backward {
		want = q.Last
		if q.Limit > 0 {
			want = min(want, q.Limit)
		}
	}
	var list []candor.Event
	query, args := eventsQuery(q, backward)
	err := r.view(ctx, "read events", func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var data sql.RawBytes
			if err := rows.Scan(&data); err != nil {
				return err
			}
			events, err := readBlock(data)
			if err != nil {
				return err
			}
			if backward {
				slices.Reverse(events)
			}
			for i := range events {
				if len(list) == want {
					return errEnough
				}
				if matches(&q, &events[i]) {
					list = append(list, events[i])
				}
			}
			return nil
		}, query, args...)
	})
	if backward {
		slices.Reverse(list)
	}
	return list, err
}

func eventsQuery(q candor.EventQuery, backward bool) (query string, args []any) {
	query = `SELECT data FROM event WHERE first >= coalesce((SELECT max(first) FROM event WHERE first <= ?), 0) AND last > ? AND loudest >= ?`
	args = []any{q.After + 1, q.After, loudness(q.Level)}
	if q.Batch != 0 {
		query += ` AND ? BETWEEN batch_min AND batch_max`
		args = append(args, int64(q.Batch))
	}
	if q.Task != 0 {
		query += ` AND ? BETWEEN task_min AND task_max`
		args = append(args, int64(q.Task))
	}
	if q.Worker != "" {
		query += ` AND workers & ? <> 0`
		args = append(args, workerBit(q.Worker))
	}
	if backward {
		return query + ` ORDER BY first DESC`, args
	}
	return query + ` ORDER BY first`, args
}

func matches(q *candor.EventQuery, e *candor.Event) bool {
	return e.Seq > q.After && loudness(e.Level) >= loudness(q.Level) &&
		(q.Batch == 0 || e.Batch == q.Batch) && (q.Task == 0 || e.Task == q.Task) && (q.Worker == "" || e.Worker == q.Worker)
}
