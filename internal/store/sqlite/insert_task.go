package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"

	"candor"
	"candor/internal/sched"
)

const (
	// itemsPerBlock and bytesPerBlock bound a block of items: one is read to
	// show one task, and written once.
	itemsPerBlock = 256
	bytesPerBlock = 64 << 10
)

// insertRun writes neighbouring tasks that differ in nothing but their id, as
// those of a fresh step do: one statement, whatever their number.
const insertRun = `WITH RECURSIVE n(id) AS (VALUES (?1) UNION ALL SELECT id + 1 FROM n WHERE id < ?2)
	INSERT INTO task SELECT id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM n`

// insertTasks writes new tasks: their spans, items and rows.
func (w *writer) insertTasks(tasks []sched.TaskRecord, counts stepCounts) error {
	for i := range tasks {
		if err := counts.add(&tasks[i], tasks[i].State, 1); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		together func(a, b *sched.TaskRecord) bool
		write    func(run []sched.TaskRecord) error
	}{
		{sameSpan, w.insertSpan},
		{bothItems, w.insertItems},
		{alike, w.insertRows},
	} {
		if err := eachRun(tasks, part.together, part.write); err != nil {
			return err
		}
	}
	return nil
}

// eachRun cuts tasks where two neighbours do not belong together.
func eachRun(tasks []sched.TaskRecord, together func(a, b *sched.TaskRecord) bool, write func([]sched.TaskRecord) error) error {
	start := 0
	for i := 1; i <= len(tasks); i++ {
		if i < len(tasks) && together(&tasks[i-1], &tasks[i]) {
			continue
		}
		if err := write(tasks[start:i]); err != nil {
			return err
		}
		start = i
	}
	return nil
}

func sameSpan(a, b *sched.TaskRecord) bool {
	return b.ID == a.ID+1 && b.Batch == a.Batch && b.Step == a.Step && a.Index >= 0 && b.Index == a.Index+1
}

func bothItems(a, b *sched.TaskRecord) bool {
	return sameSpan(a, b) && a.Item != nil && b.Item != nil
}

func alike(a, b *sched.TaskRecord) bool {
	return b.ID == a.ID+1 && plain(a) && plain(b) &&
		b.State == a.State && b.Attempt == a.Attempt && b.Counted == a.Counted && b.Tries == a.Tries &&
		b.Worker == a.Worker && b.Lease == a.Lease &&
		b.QueuedAt.Equal(a.QueuedAt) && b.StartedAt.Equal(a.StartedAt) && b.FinishedAt.Equal(a.FinishedAt)
}

func (w *writer) insertSpan(run []sched.TaskRecord) error {
	first := &run[0]
	_, err := w.exec(`INSERT INTO span VALUES (?, ?, ?, ?, ?)`,
		int64(first.ID), int64(run[len(run)-1].ID), int64(first.Batch), int64(first.Step), int64(first.Index))
	return err
}

// insertItems writes the items of neighbours in blocks: each item after its
// length, byte for byte as it was submitted.
func (w *writer) insertItems(run []sched.TaskRecord) error {
	if run[0].Item == nil {
		return nil
	}
	var block []byte
	first := run[0].ID
	for i := range run {
		block = binary.AppendUvarint(block, uint64(len(run[i].Item)))
		block = append(block, run[i].Item...)
		last := run[i].ID
		if i+1 < len(run) && last-first+1 < itemsPerBlock && len(block) < bytesPerBlock {
			continue
		}
		if _, err := w.exec(`INSERT INTO item VALUES (?, ?, ?)`, int64(first), int64(last), block); err != nil {
			return err
		}
		block, first = block[:0], last+1
	}
	return nil
}

// errBlock is a block of items that does not hold what its row says.
var errBlock = errors.New("damaged block of items")

// splitItems is the items of a block, sharing its memory.
func splitItems(block []byte, n int) ([][]byte, error) {
	items := make([][]byte, 0, n)
	for range n {
		size, k := binary.Uvarint(block)
		if k <= 0 || size > uint64(len(block)-k) {
			return nil, errBlock
		}
		end := k + int(size)
		items = append(items, block[k:end:end])
		block = block[end:]
	}
	if len(block) > 0 {
		return nil, errBlock
	}
	return items, nil
}

func (w *writer) insertRows(run []sched.TaskRecord) error {
	r := &run[0]
	more, err := extraText(r)
	if err != nil {
		return err
	}
	n, err := w.exec(insertRun, int64(r.ID), int64(run[len(run)-1].ID), string(r.State),
		int64(r.Attempt), int64(r.Counted), int64(r.Tries), r.Worker, r.Lease,
		micro(r.QueuedAt), micro(r.StartedAt), micro(r.FinishedAt), more)
	if err == nil && n != int64(len(run)) {
		err = fmt.Errorf("insert tasks from %s on: %d rows instead of %d", r.ID, n, len(run))
	}
	return err
}

// stepKey names a step.
type stepKey struct {
	batch candor.BatchID
	step  int
}

// stepCounts is by how much a commit changes the counts of each step.
type stepCounts map[stepKey]*[6]int

func (c stepCounts) add(r *sched.TaskRecord, s candor.TaskState, n int) error {
	i := stateIndex(s)
	if i < 0 {
		return candor.Errorf(candor.CodeInternal, "task %s: the store refuses a state that may not exist: %q", r.ID, s)
	}
	key := stepKey{r.Batch, r.Step}
	if c[key] == nil {
		c[key] = &[6]int{}
	}
	c[key][i] += n
	return nil
}

// writeCounts brings the counts of the touched steps up to date.
func (w *writer) writeCounts(counts stepCounts) error {
	for key, d := range counts {
		n, err := w.exec(`UPDATE step SET blocked = blocked + ?, queued = queued + ?, processing = processing + ?,
			complete = complete + ?, failed = failed + ?, cancelled = cancelled + ? WHERE batch = ? AND number = ?`,
			int64(d[0]), int64(d[1]), int64(d[2]), int64(d[3]), int64(d[4]), int64(d[5]), int64(key.batch), int64(key.step))
		if err != nil {
			return err
		}
		if n != 1 {
			return candor.Errorf(candor.CodeConflict, "batch %s has no step %d", key.batch, key.step)
		}
	}
	return nil
}
