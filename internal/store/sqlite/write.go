package sqlite

import (
	"candor"
	"candor/internal/sched"
)

func (s *Store) writeNewBatches(c *sched.Changes) error {
	for i := range c.NewBatches {
		b := &c.NewBatches[i]
		counts, err := batchCounts(b)
		if err != nil {
			return err
		}
		if _, err := s.w.exec(`INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(b.ID), b.Name, nullable(b.Key), string(b.State), string(b.Outcome), bit(b.Cancelled),
			micro(b.CreatedAt), micro(b.FinishedAt), micro(b.ExpiresAt), b.PlanFile, b.PlanDir,
			nullable(string(b.Inputs)), int64(b.Total), counts, b.Kind); err != nil {
			return fault("write batch "+b.ID.String(), err)
		}
	}
	return nil
}

// batchCounts is kept with the row once the batch is complete; until then the
// counts of its steps say it.
func batchCounts(b *sched.BatchRecord) (any, error) {
	if b.State != candor.BatchComplete || b.Counts == nil {
		return nil, nil
	}
	return jsonText(b.Counts)
}

// writeBatches changes batches. The counts of the steps are up to date by now:
// a batch that is not through cannot be made complete.
func (s *Store) writeBatches(c *sched.Changes) error {
	for i := range c.Batches {
		b := &c.Batches[i]
		counts, err := batchCounts(b)
		if err != nil {
			return err
		}
		n, err := s.w.exec(`UPDATE batch SET state = ?, outcome = ?, cancelled = ?, finished_at = ?, expires_at = ?, total = ?, counts = ?
			WHERE id = ? AND state = ?`, string(b.State), string(b.Outcome), bit(b.Cancelled), micro(b.FinishedAt), micro(b.ExpiresAt),
			int64(b.Total), counts, int64(b.ID), string(b.Was))
		if err != nil {
			return err
		}
		if n != 1 {
			return candor.Errorf(candor.CodeConflict, "batch %s is not %s in the store", b.ID, b.Was)
		}
	}
	return s.checkComplete(c)
}

// checkComplete refuses a complete batch with a task that is not final.
func (s *Store) checkComplete(c *sched.Changes) error {
	for _, list := range [][]sched.BatchRecord{c.NewBatches, c.Batches} {
		for i := range list {
			if list[i].State != candor.BatchComplete {
				continue
			}
			open, err := s.w.number(`SELECT coalesce(sum(blocked + queued + processing), 0) FROM step WHERE batch = ?`, int64(list[i].ID))
			if err != nil {
				return err
			}
			if open > 0 {
				return candor.Errorf(candor.CodeInternal, "batch %s: the store refuses a state that may not exist: complete with %d open tasks", list[i].ID, open)
			}
		}
	}
	return nil
}

func (s *Store) writeSteps(c *sched.Changes) error {
	for i := range c.NewSteps {
		st := &c.NewSteps[i]
		spec, err := jsonText(&st.Step)
		if err != nil {
			return err
		}
		flag, err := optional(st.Flag)
		if err != nil {
			return err
		}
		if _, err := s.w.exec(`INSERT INTO step (batch, number, name, class, spec, expanded, total, flag) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(st.Batch), int64(st.Number), st.Step.Name, string(st.Step.Class), spec, bit(st.Expanded), int64(st.Total), flag); err != nil {
			return err
		}
	}
	for i := range c.Steps {
		st := &c.Steps[i]
		flag, err := optional(st.Flag)
		if err != nil {
			return err
		}
		n, err := s.w.exec(`UPDATE step SET expanded = ?, total = ?, flag = ? WHERE batch = ? AND number = ?`,
			bit(st.Expanded), int64(st.Total), flag, int64(st.Batch), int64(st.Number))
		if err != nil {
			return err
		}
		if n != 1 {
			return candor.Errorf(candor.CodeConflict, "batch %s has no step %d", st.Batch, st.Number)
		}
	}
	return nil
}

func (s *Store) writeAttempts(c *sched.Changes) error {
	for i := range c.Attempts {
		a := &c.Attempts[i]
		data, err := jsonText(&a.Attempt)
		if err != nil {
			return err
		}
		if _, err := s.w.exec(`INSERT INTO attempt VALUES (?, ?, ?)`, int64(a.Task), int64(a.Attempt.Number), data); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeWorkers(c *sched.Changes) error {
	for _, name := range c.Forgotten {
		if _, err := s.w.exec(`DELETE FROM worker WHERE name = ?`, name); err != nil {
			return err
		}
	}
	for i := range c.Workers {
		w := &c.Workers[i]
		info, err := jsonText(workerInfo{w.Info, w.Drain})
		if err != nil {
			return err
		}
		account, err := optional(w.Account)
		if err != nil {
			return err
		}
		if _, err := s.w.exec(`INSERT OR REPLACE INTO worker VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			w.Info.Name, w.Session, string(w.State), bit(w.Draining), micro(w.JoinedAt), micro(w.SeenAt),
			int64(w.Completed), int64(w.Failed), info, account); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeModels(c *sched.Changes) error {
	for i := range c.Models {
		m := &c.Models[i]
		data, err := jsonText(m)
		if err != nil {
			return err
		}
		if _, err := s.w.exec(`INSERT OR REPLACE INTO model VALUES (?, ?)`, m.Name, data); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writePauses(c *sched.Changes) error {
	if !c.PausesSet {
		return nil
	}
	if _, err := s.w.exec(`DELETE FROM pause`); err != nil {
		return err
	}
	for _, p := range c.Pauses {
		if _, err := s.w.exec(`INSERT INTO pause VALUES (?, ?, ?, ?, ?)`, p.Scope, p.Target, p.By, p.Why, micro(p.At)); err != nil {
			return err
		}
	}
	return nil
}
