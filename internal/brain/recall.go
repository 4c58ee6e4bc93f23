package brain

import (
	"context"
	"fmt"
	"slices"

	"candor"
	"candor/internal/sched"
)

// keyFree refuses a submission whose key an ended batch has; the state itself
// knows those in memory.
func (b *Brain) keyFree(ctx context.Context, key string) error {
	if key == "" {
		return nil
	}
	id, err := b.opts.Store.BatchByKey(ctx, key)
	switch {
	case err == nil:
		return &candor.Error{
			Code: candor.CodeConflict, Message: fmt.Sprintf("key %q is taken by batch %s", key, id),
			Hint:   fmt.Sprintf("look at it with candor show %s, or submit with another key or none", id),
			Detail: map[string]any{"batch_id": id.String()},
		}
	case candor.CodeOf(err) == candor.CodeNotFound:
		return nil
	default:
		return err
	}
}

// targetsOf lists what a command names, if it speaks of batches and tasks that
// may have left memory.
func targetsOf(cmd sched.Command) []string {
	switch c := cmd.(type) {
	case sched.Retry:
		return c.Req.Targets
	case sched.Cancel:
		return c.Req.Targets
	case sched.Pause:
		return c.Req.Targets
	case sched.Resume:
		return c.Req.Targets
	case sched.Why:
		return []string{c.Target}
	default:
		return nil
	}
}

// recall finds in the store what a command names and memory does not hold, and
// returns the command that can be decided with it. It tells whether anything
// came; what the store does not know either is no error.
func (b *Brain) recall(ctx context.Context, cmd sched.Command) (again sched.Command, came bool, err error) {
	if c, ok := cmd.(sched.Claim); ok {
		c.Stored, err = b.tasksOf(ctx, c.Req.Results)
		c.Looked = true
		return c, true, err
	}
	came, err = b.recallBatches(ctx, cmd)
	return cmd, came, err
}

// tasksOf reads the tasks of results; what the store does not have is left out.
func (b *Brain) tasksOf(ctx context.Context, results []candor.Result) ([]candor.Task, error) {
	var out []candor.Task
	for i := range results {
		t, err := b.opts.Store.Task(ctx, results[i].Task)
		switch {
		case err == nil:
			out = append(out, t)
		case candor.CodeOf(err) != candor.CodeNotFound:
			return nil, err
		}
	}
	return out, nil
}

// recallBatches brings ended batches that a command names back into memory.
func (b *Brain) recallBatches(ctx context.Context, cmd sched.Command) (came bool, _ error) {
	for _, name := range targetsOf(cmd) {
		id, err := b.stored(ctx, name)
		if err != nil {
			return came, err
		}
		if id == 0 {
			continue
		}
		one, err := b.admit(ctx, id)
		if err != nil {
			return came, err
		}
		came = came || one
	}
	return came, nil
}

// recallFailed brings all ended batches in which something failed back into
// memory: a retry of all that failed names none of them, so that none of them
// would be missed.
func (b *Brain) recallFailed(ctx context.Context, cmd sched.Command) error {
	if c, ok := cmd.(sched.Retry); !ok || !c.Req.Failed || !slices.Contains(c.Req.Targets, "all") {
		return nil
	}
	q := candor.BatchQuery{State: candor.BatchComplete}
	for {
		page, err := b.opts.Store.Batches(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if e.Counts[candor.TaskFailed] == 0 {
				continue
			}
			there, err := b.do(ctx, sched.Resolve{Prefix: e.ID.String()})
			if refs, ok := there.(sched.Refs); ok && len(refs.Batches) > 0 {
				continue
			}
			if err == nil {
				_, err = b.admit(ctx, e.ID)
			}
			if err != nil {
				return err
			}
		}
		q.Before = page[len(page)-1].ID
	}
}

// admit brings a batch into memory, if the store still has it. One that is there
// stays as it is.
func (b *Brain) admit(ctx context.Context, id candor.BatchID) (came bool, _ error) {
	lb, err := b.opts.Store.LoadBatch(ctx, id)
	if candor.CodeOf(err) == candor.CodeNotFound && err != nil {
		return false, nil // pruned meanwhile
	}
	if err != nil {
		return false, err
	}
	_, err = b.do(ctx, sched.Admit{Batch: *lb})
	return err == nil, err
}

// stored finds the one batch that a name means in the store; 0 if there is none
// or more than one.
func (b *Brain) stored(ctx context.Context, name string) (candor.BatchID, error) {
	refs, err := b.opts.Store.Resolve(ctx, name, 2)
	switch {
	case err != nil || len(refs.Batches)+len(refs.Tasks) != 1:
		return 0, err
	case len(refs.Batches) == 1:
		return refs.Batches[0], nil
	}
	t, err := b.opts.Store.Task(ctx, refs.Tasks[0])
	return t.Batch, err
}
