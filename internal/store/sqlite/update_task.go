package sqlite

import (
	"database/sql/driver"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"candor"
	"candor/internal/sched"
)

// updateRows is how many tasks one statement updates, updateFew how many the
// statement for the rest of a commit; up to updateAlone have one each. Measured:
// 64 in a statement cost half of what 64 statements do; more in one gain nothing.
const (
	updateRows  = 64
	updateFew   = 8
	updateAlone = 4
)

// updateWay is a way to update tasks: the columns that a record is bound to, and
// what the statement does with them.
type updateWay struct {
	columns string // of the values, separated by commas; the first is id
	set     string
	where   string // besides the id
	bind    func(r *sched.TaskRecord, to []driver.NamedValue) error
}

// claimed is the update of tasks that a worker has just claimed, one of the two
// that happen to every task. All fields of such a record are stored.
func claimed() updateWay {
	return updateWay{
		columns: "id,attempt,counted,tries,worker,lease,queued_at,started_at",
		set: `state = 'processing', attempt = v.attempt, counted = v.counted, tries = v.tries, worker = v.worker,
			lease = v.lease, queued_at = v.queued_at, started_at = v.started_at, finished_at = 0, extra = NULL`,
		where: `task.state = 'queued' AND task.lease = 0`,
		bind: func(r *sched.TaskRecord, to []driver.NamedValue) error {
			to[0].Value, to[1].Value, to[2].Value, to[3].Value = int64(r.ID), int64(r.Attempt), int64(r.Counted), int64(r.Tries)
			to[4].Value, to[5].Value, to[6].Value, to[7].Value = r.Worker, r.Lease, micro(r.QueuedAt), micro(r.StartedAt)
			return nil
		},
	}
}

// completed is the update of tasks that completed under the lease that the
// store knows. A lease is given once, to one worker: that needs no repeating.
func completed() updateWay {
	return updateWay{
		columns: "id,lease,attempt,counted,tries,queued_at,started_at,finished_at",
		set: `state = 'complete', attempt = v.attempt, counted = v.counted, tries = v.tries,
			queued_at = v.queued_at, started_at = v.started_at, finished_at = v.finished_at, extra = NULL`,
		where: `task.state = 'processing' AND task.lease = v.lease`,
		bind: func(r *sched.TaskRecord, to []driver.NamedValue) error {
			to[0].Value, to[1].Value, to[2].Value, to[3].Value = int64(r.ID), r.Lease, int64(r.Attempt), int64(r.Counted)
			to[4].Value, to[5].Value, to[6].Value, to[7].Value = int64(r.Tries), micro(r.QueuedAt), micro(r.StartedAt), micro(r.FinishedAt)
			return nil
		},
	}
}

// moved is any other update. A commit may hold several moves of a task at once,
// so that of the law of moves one thing is left to check: what is complete stays.
func moved() updateWay {
	return updateWay{
		columns: "id,was,was_lease,state,attempt,counted,tries,worker,lease,queued_at,started_at,finished_at,extra",
		set: `state = v.state, attempt = v.attempt, counted = v.counted, tries = v.tries, worker = v.worker, lease = v.lease,
			queued_at = v.queued_at, started_at = v.started_at, finished_at = v.finished_at, extra = v.extra`,
		where: `task.state = v.was AND task.lease = v.was_lease AND (task.state <> 'complete' OR v.state = 'complete')`,
		bind: func(r *sched.TaskRecord, to []driver.NamedValue) error {
			more, err := extraText(r)
			to[0].Value, to[1].Value, to[2].Value, to[3].Value = int64(r.ID), string(r.Was), r.WasLease, string(r.State)
			to[4].Value, to[5].Value, to[6].Value, to[7].Value = int64(r.Attempt), int64(r.Counted), int64(r.Tries), r.Worker
			to[8].Value, to[9].Value, to[10].Value, to[11].Value = r.Lease, micro(r.QueuedAt), micro(r.StartedAt), micro(r.FinishedAt)
			to[12].Value = more
			return err
		},
	}
}

func (u *updateWay) width() int { return 1 + strings.Count(u.columns, ",") }

// statement updates up to rows tasks.
func (u *updateWay) statement(rows int) string {
	row := "(?" + strings.Repeat(",?", u.width()-1) + ")"
	return "WITH v(" + u.columns + ") AS (VALUES " + row + strings.Repeat(","+row, rows-1) +
		") UPDATE task SET " + u.set + " FROM v WHERE task.id = v.id AND " + u.where
}

// valueColumn is a column of the values, as set and where name it.
var valueColumn = regexp.MustCompile(`\bv\.\w+`)

// alone updates one task, by the same words: its parameters are the columns of
// the values, in their order.
func (u *updateWay) alone() string {
	columns := strings.Split(u.columns, ",")
	return valueColumn.ReplaceAllStringFunc("UPDATE task SET "+u.set+" WHERE task.id = v.id AND "+u.where, func(name string) string {
		return "?" + strconv.Itoa(1+slices.Index(columns, name[len("v."):]))
	})
}

// updates are the ways to update, with their statements: built once per writer.
type updates struct {
	ways             [3]updateWay
	many, few, alone [3]string
}

func newUpdates() *updates {
	u := &updates{ways: [3]updateWay{claimed(), completed(), moved()}}
	for i := range u.ways {
		way := &u.ways[i]
		u.many[i], u.few[i], u.alone[i] = way.statement(updateRows), way.statement(updateFew), way.alone()
	}
	return u
}

// way is the index of the narrowest way that stores all of a record.
func way(r *sched.TaskRecord) int {
	switch {
	case !plain(r):
		return 2
	case r.Was == candor.TaskQueued && r.State == candor.TaskProcessing && r.WasLease == 0 && r.FinishedAt.IsZero():
		return 0
	case r.Was == candor.TaskProcessing && r.State == candor.TaskComplete && r.WasLease == r.Lease:
		return 1
	}
	return 2
}

// updateTasks changes tasks that must be as their records expect.
func (w *writer) updateTasks(tasks []sched.TaskRecord, counts stepCounts) error {
	var groups [3][]*sched.TaskRecord
	for i, n := 0, 0; i < len(tasks); i += n {
		r := &tasks[i]
		if n = runOf(tasks[i:]); n < runRows {
			n = 1
		}
		if err := errors.Join(counts.add(r, r.Was, -n), counts.add(r, r.State, n)); err != nil {
			return err
		}
		if n > 1 {
			if err := w.updateRun(tasks[i : i+n]); err != nil {
				return err
			}
			continue
		}
		k := way(r)
		groups[k] = append(groups[k], r)
	}
	for k, group := range groups {
		for len(group) > 0 {
			rows, query := 1, w.updates.alone[k]
			switch n := len(group); {
			case n > updateFew:
				rows, query = updateRows, w.updates.many[k]
			case n > updateAlone:
				rows, query = updateFew, w.updates.few[k]
			}
			n := min(rows, len(group))
			if err := w.update(&w.updates.ways[k], query, rows, group[:n]); err != nil {
				return err
			}
			group = group[n:]
		}
	}
	return nil
}

// update runs one statement; rows that it has room for beyond the group are
// bound to NULL, which no id equals.
func (w *writer) update(u *updateWay, query string, rows int, group []*sched.TaskRecord) error {
	width := u.width()
	args := w.bind(rows * width)
	for i, r := range group {
		if err := u.bind(r, args[i*width:(i+1)*width]); err != nil {
			return err
		}
	}
	for i := len(group) * width; i < len(args); i++ {
		args[i].Value = nil
	}
	n, err := w.run(query, args)
	if err == nil && n != int64(len(group)) {
		err = w.mismatch(group)
	}
	return err
}

// mismatch says which task was not as expected.
func (w *writer) mismatch(group []*sched.TaskRecord) error {
	seen := map[candor.TaskID]bool{}
	for _, r := range group {
		if seen[r.ID] {
			return candor.Errorf(candor.CodeConflict, "task %s is changed twice in one commit", r.ID)
		}
		seen[r.ID] = true
		row, err := w.row(`SELECT state, lease FROM task WHERE id = ?`, 2, int64(r.ID))
		if errors.Is(err, io.EOF) {
			return candor.Errorf(candor.CodeConflict, "task %s is not in the store", r.ID)
		}
		if err != nil {
			return err
		}
		// Rows that were updated before the statement missed one look like this one's new value.
		state, lease := row[0], row[1]
		if (state == string(r.Was) && lease == r.WasLease && r.Was != candor.TaskComplete) || (state == string(r.State) && lease == r.Lease) {
			continue
		}
		return candor.Errorf(candor.CodeConflict, "task %s is %s with lease %d, not %s with lease %d", r.ID, state, lease, r.Was, r.WasLease)
	}
	return candor.Errorf(candor.CodeConflict, "a complete task does not move")
}
