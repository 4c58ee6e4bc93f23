package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"time"

	"candor"
	"candor/internal/store"
)

const (
	// pruneTasks and pruneBlocks bound what one transaction removes, so that
	// commits pass between them.
	pruneTasks  = 5_000
	pruneBlocks = 200
	// vacuumPages is how many free pages one step gives back to the file system.
	vacuumPages = 2_000
)

// Prune removes history in small transactions. A batch goes at once, its tasks
// after it, bit by bit; a Prune that was cut off is finished by the next.
func (s *Store) Prune(ctx context.Context, now time.Time, p store.Retention) (done store.Pruned, err error) {
	defer func() { err = fault("prune", err) }()
	for {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		more, err := s.pruneStep(now, p, &done)
		if err != nil || !more {
			return done, err
		}
	}
}

// pruneStep does one transaction's worth, if there is anything to do.
func (s *Store) pruneStep(now time.Time, p store.Retention, done *store.Pruned) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return false, err
	}
	var removed store.Pruned
	err = s.transact(func() error {
		if err := s.fence(); err != nil {
			return err
		}
		more, removed, err = s.pruneSome(now, p)
		return err
	})
	if err != nil {
		return false, err
	}
	done.Batches = append(done.Batches, removed.Batches...)
	done.Tasks += removed.Tasks
	done.Events += removed.Events
	if !more {
		return s.giveBack(p)
	}
	return more, nil
}

// fence refuses to write for a store that does not lead any more.
func (s *Store) fence() error {
	epoch, err := s.w.number(`SELECT epoch FROM meta`)
	if err == nil && epoch != s.epoch {
		err = candor.Errorf(candor.CodeLocked, "another brain leads this state now")
	}
	return err
}

func (s *Store) pruneSome(now time.Time, p store.Retention) (more bool, done store.Pruned, err error) {
	if done.Tasks, err = s.clearSpan(); err != nil || done.Tasks > 0 {
		return true, done, err
	}
	before := int64(0)
	if p.Age > 0 {
		before = micro(now.Add(-p.Age))
	}
	over, err := s.oversize(p.Size)
	if err != nil {
		return false, done, err
	}
	batch, ended, err := s.oldest(`SELECT id, finished_at FROM batch WHERE state = 'complete' ORDER BY finished_at, id LIMIT 1`)
	if err != nil {
		return false, done, err
	}
	block, at, err := s.oldest(`SELECT first, at FROM event ORDER BY first LIMIT 1`)
	if err != nil {
		return false, done, err
	}
	switch {
	case batch != 0 && (ended < before || over && (block == 0 || ended <= at)):
		_, err = s.w.exec(`DELETE FROM batch WHERE id = ?`, batch)
		done.Batches = []candor.BatchID{candor.BatchID(batch)}
	case block != 0 && at < before:
		done.Events, err = s.dropEvents(before, pruneBlocks)
	case block != 0 && over:
		done.Events, err = s.dropEvents(at+1, 1+pruneBlocks/10)
	default:
		return false, done, nil
	}
	return true, done, err
}

// oldest reads an id and an instant; zeros if there is no row.
func (s *Store) oldest(query string) (id, at int64, err error) {
	row, err := s.w.row(query, 2)
	if errors.Is(err, io.EOF) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	id, _ = row[0].(int64)
	at, _ = row[1].(int64)
	return id, at, nil
}

// oversize tells whether the store holds more than it may.
func (s *Store) oversize(most candor.Bytes) (bool, error) {
	if most <= 0 {
		return false, nil
	}
	used, err := s.w.number(`SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	return used > int64(most), err
}

// clearSpan removes some tasks, from their end, of a span whose batch is gone.
func (s *Store) clearSpan() (int, error) {
	row, err := s.w.row(`SELECT first, last FROM span WHERE batch IS NULL LIMIT 1`, 2)
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	first, _ := row[0].(int64)
	last, _ := row[1].(int64)
	from := max(first, last-pruneTasks+1)
	for _, query := range []string{
		`DELETE FROM task WHERE id BETWEEN ? AND ?`,
		`DELETE FROM attempt WHERE task BETWEEN ? AND ?`,
		`DELETE FROM item WHERE first BETWEEN ? AND ?`,
	} {
		if _, err := s.w.exec(query, from, last); err != nil {
			return 0, err
		}
	}
	if from == first {
		_, err = s.w.exec(`DELETE FROM span WHERE first = ?`, first)
	} else {
		_, err = s.w.exec(`UPDATE span SET last = ? WHERE first = ?`, from-1, first)
	}
	return int(last - from + 1), err
}

// dropEvents removes the oldest blocks whose events are all from before.
func (s *Store) dropEvents(before int64, blocks int) (int, error) {
	const oldest = `(SELECT first FROM event ORDER BY first LIMIT ?) AND at < ?`
	n, err := s.w.number(`SELECT coalesce(sum(count), 0) FROM event WHERE first IN `+oldest, int64(blocks), before)
	if err != nil {
		return 0, err
	}
	_, err = s.w.exec(`DELETE FROM event WHERE first IN `+oldest, int64(blocks), before)
	return int(n), err
}

// giveBack returns free pages to the file system when the file is larger than
// it should be; else they are kept for what comes.
func (s *Store) giveBack(p store.Retention) (more bool, err error) {
	if p.Size <= 0 {
		return false, nil
	}
	info, err := os.Stat(s.file)
	if err != nil || info.Size() <= int64(p.Size) {
		return false, err
	}
	free, err := s.w.number(`PRAGMA freelist_count`)
	if err != nil || free == 0 {
		return false, err
	}
	_, err = s.w.exec(`PRAGMA incremental_vacuum(2000)`)
	return free > vacuumPages, err
}

// Size is what the store takes on disk.
func (r *reader) size(ctx context.Context, file string) (size store.Size, err error) {
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + end)
		switch {
		case err == nil:
			size.Total += candor.Bytes(info.Size())
		case !errors.Is(err, os.ErrNotExist):
			return size, fault("measure "+file, err)
		}
	}
	err = r.view(ctx, "count events", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT coalesce(sum(count), 0) FROM event`).Scan(&size.Events)
	})
	return size, err
}

// Size is what the store takes on disk, and how many events it keeps.
func (s *Store) Size(ctx context.Context) (store.Size, error) { return s.size(ctx, s.file) }
