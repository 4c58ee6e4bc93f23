package sqlite

import (
	"context"
	"errors"

	"candor"
	"candor/internal/sched"
)

// transact runs f in a transaction that holds the write lock from its start.
// The caller holds mu, or is alone.
func (s *Store) transact(f func() error) error {
	if err := s.lockWrites(); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = s.w.exec(`COMMIT`)
	}
	if err != nil {
		// SQLite may have rolled back by itself, then this finds nothing to do.
		_, _ = s.w.exec(`ROLLBACK`)
	}
	return err
}

// lockWrites begins a transaction, patiently: each try waits as long as
// busy_timeout says, and who is in the way is noted at once, so that Stats can
// tell while the wait lasts.
func (s *Store) lockWrites() error {
	start := s.opts.Clock.Now()
	for {
		_, err := s.w.exec(`BEGIN IMMEDIATE`)
		if err == nil || primary(err) != sqliteBusy {
			return err
		}
		waited := s.opts.Clock.Now().Sub(start)
		who := s.pace.waiting(start, s.file)
		if waited >= s.opts.Patience {
			return busyFault(s.file, waited, who, err)
		}
	}
}

// Commit makes changes durable in one transaction.
func (s *Store) Commit(ctx context.Context, c *sched.Changes) error {
	if err := ctx.Err(); err != nil {
		return &candor.Error{Code: candor.CodeInterrupted, Message: "commit not begun", Cause: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	start := s.opts.Clock.Now()
	err := s.transact(func() error { return s.apply(c) })
	s.pace.note(s.opts.Clock.Now().Sub(start))
	if err != nil {
		return fault("commit", err)
	}
	s.flush.written(len(c.NewTasks) + len(c.Tasks))
	return nil
}

// writable tells why nothing can be written, if so. The caller holds mu.
func (s *Store) writable() error {
	switch {
	case s.closed:
		return candor.Errorf(candor.CodeUnavailable, "the store is closed")
	case s.opts.ReadOnly:
		return candor.Errorf(candor.CodeUnsupported, "the store is open for reading only")
	}
	return s.place.left()
}

// apply writes all changes; the order follows what refers to what.
func (s *Store) apply(c *sched.Changes) error {
	counts := stepCounts{}
	for _, write := range []func() error{
		func() error { return s.writeMeta(c) },
		func() error { return s.writeNewBatches(c) },
		func() error { return s.writeSteps(c) },
		func() error { return s.w.insertTasks(c.NewTasks, counts) },
		func() error { return s.w.updateTasks(c.Tasks, counts) },
		func() error { return s.w.writeCounts(counts) },
		func() error { return s.writeAttempts(c) },
		func() error { return s.writeBatches(c) },
		func() error { return s.writeWorkers(c) },
		func() error { return s.writeModels(c) },
		func() error { return s.writePauses(c) },
		func() error { return s.w.insertEvents(c.Events) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// writeMeta moves the counters, if this store still leads.
func (s *Store) writeMeta(c *sched.Changes) error {
	m := c.Meta
	n, err := s.w.exec(`UPDATE meta SET revision = ?, next_task = ?, next_batch = ?, next_lease = ?,
		next_session = ?, next_event = ? WHERE epoch = ? AND revision <= ?`,
		c.Revision, int64(m.NextTask), int64(m.NextBatch), m.NextLease, m.NextSession, m.NextEvent, s.epoch, c.Revision)
	if err != nil || n == 1 {
		return err
	}
	epoch, err := s.w.number(`SELECT epoch FROM meta`)
	if err != nil {
		return err
	}
	if epoch != s.epoch {
		return &candor.Error{
			Code:    candor.CodeLocked,
			Message: "another brain leads this state now: " + readLead(s.opts.Dir).String(),
			Hint:    "end this one; it can commit nothing any more",
			Detail:  map[string]any{"epoch": epoch, "own_epoch": s.epoch},
		}
	}
	revision, err := s.w.number(`SELECT revision FROM meta`)
	return errors.Join(err, candor.Errorf(candor.CodeConflict, "revision %d is in the store, cannot go back to %d", revision, c.Revision))
}
