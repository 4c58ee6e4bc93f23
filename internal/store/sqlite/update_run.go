package sqlite

import (
	"slices"

	"candor"
	"candor/internal/sched"
)

// Tasks that move together (a step whose need is met, a batch that is cancelled
// or retried) have neighbouring ids and become the same. Such a run is one
// statement over a range of ids, however long it is.

// runRows is the length from which a run is worth a statement of its own.
const runRows = 16

// runOf is how many tasks at the head of a list become the same.
func runOf(tasks []sched.TaskRecord) int {
	n := 1
	for n < len(tasks) && sameMove(&tasks[0], &tasks[n], n) {
		n++
	}
	return n
}

// sameMove tells whether two tasks, d ids apart, are the same and become the same.
func sameMove(a, b *sched.TaskRecord, d int) bool {
	return b.ID == a.ID+candor.TaskID(d) && b.Batch == a.Batch && b.Step == a.Step && b.Was == a.Was && b.WasLease == a.WasLease && b.State == a.State &&
		b.Attempt == a.Attempt && b.Counted == a.Counted && b.Tries == a.Tries && b.Worker == a.Worker && b.Lease == a.Lease &&
		b.QueuedAt.Equal(a.QueuedAt) && b.StartedAt.Equal(a.StartedAt) && b.FinishedAt.Equal(a.FinishedAt) && b.NotBefore.Equal(a.NotBefore) &&
		b.Reason == a.Reason && b.Last == a.Last && b.Aborting == a.Aborting &&
		b.AbortText == a.AbortText && b.AbortAt.Equal(a.AbortAt) &&
		slices.Equal(b.Avoid, a.Avoid) && slices.Equal(b.Downed, a.Downed)
}

// updateRun changes a run of tasks that must all be as their records expect.
func (w *writer) updateRun(run []sched.TaskRecord) error {
	r := &run[0]
	more, err := extraText(r)
	if err != nil {
		return err
	}
	n, err := w.exec(`UPDATE task SET state = ?4, attempt = ?6, counted = ?7, tries = ?8, worker = ?9, lease = ?10,
			queued_at = ?11, started_at = ?12, finished_at = ?13, extra = ?14
		WHERE id BETWEEN ?1 AND ?2 AND state = ?3 AND lease = ?5 AND (state <> 'complete' OR ?4 = 'complete')`,
		int64(r.ID), int64(run[len(run)-1].ID), string(r.Was), string(r.State), r.WasLease, int64(r.Attempt), int64(r.Counted), int64(r.Tries),
		r.Worker, r.Lease, micro(r.QueuedAt), micro(r.StartedAt), micro(r.FinishedAt), more)
	if err == nil && n != int64(len(run)) {
		group := make([]*sched.TaskRecord, 0, len(run))
		for i := range run {
			group = append(group, &run[i])
		}
		err = w.mismatch(group)
	}
	return err
}
