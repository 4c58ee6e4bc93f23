package httpapi

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
	"candor/internal/sched"
)

// healthTimeout is how long the loop may take to answer before the brain counts
// as unwell: far above any commit that succeeds.
const healthTimeout = 5 * time.Second

func (c *call) query() *wire.Reading { return wire.Read(c.r.URL.Query(), c.route) }

func (c *call) batches() ([]candor.Batch, error) {
	q := c.query()
	query := q.Batches()
	if err := q.Err(); err != nil {
		return nil, err
	}
	found, err := c.opts.Store.Batches(c.ctx(), query)
	if err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	return found, c.locate(found)
}

func (c *call) batch() (candor.Batch, error) {
	id, err := c.batchID()
	if err != nil {
		return candor.Batch{}, err
	}
	return held(c, func() (candor.Batch, error) { return c.oneBatch(id) },
		func(b candor.Batch) bool { return b.State == candor.BatchComplete },
		func(e candor.Event) bool { return e.Batch == id && e.Code == candor.EventBatchComplete })
}

func (c *call) oneBatch(id candor.BatchID) (candor.Batch, error) {
	b, err := c.opts.Store.Batch(c.ctx(), id)
	if err != nil {
		return b, err
	}
	found := []candor.Batch{b}
	err = c.locate(found)
	return found[0], err
}

// locate adds what the stored row does not hold: where outputs are, and who
// has paused the batch.
func (c *call) locate(found []candor.Batch) error {
	status, err := do[candor.Status](c.ctx(), c.Server, sched.Status{})
	if err != nil {
		return err
	}
	for i := range found {
		b := &found[i]
		id := b.ID.String()
		if b.Dir == "" && c.opts.BatchRoot != "" {
			b.Dir = filepath.Join(c.opts.BatchRoot, id)
		}
		for _, p := range status.Pauses {
			if p.Scope == "batch" && p.Target == id && b.Paused == nil {
				b.Paused = &p
			}
		}
	}
	return nil
}

func (c *call) batchTasks() ([]candor.Task, error) {
	id, err := c.batchID()
	if err != nil {
		return nil, err
	}
	// A batch without tasks and no batch at all are different answers.
	if _, err := c.opts.Store.Batch(c.ctx(), id); err != nil {
		return nil, err
	}
	return c.listTasks(id)
}

func (c *call) tasks() ([]candor.Task, error) { return c.listTasks(0) }

func (c *call) listTasks(batch candor.BatchID) ([]candor.Task, error) {
	q := c.query()
	query := q.Tasks()
	query.Batch = batch
	if err := q.Err(); err != nil {
		return nil, err
	}
	found, err := c.opts.Store.Tasks(c.ctx(), query)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return c.decorate(found)
}

// decorate lets the brain add what only the living know.
func (c *call) decorate(tasks []candor.Task) ([]candor.Task, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	return do[[]candor.Task](c.ctx(), c.Server, sched.Decorate{Tasks: tasks})
}

func (c *call) task() (candor.Task, error) {
	id, err := c.taskID()
	if err != nil {
		return candor.Task{}, err
	}
	return held(c, func() (candor.Task, error) { return c.oneTask(id) },
		func(t candor.Task) bool { return t.State.Final() },
		func(e candor.Event) bool { return e.Task == id })
}

func (c *call) oneTask(id candor.TaskID) (candor.Task, error) {
	t, err := c.opts.Store.Task(c.ctx(), id)
	if err != nil {
		return t, err
	}
	tasks, err := c.decorate([]candor.Task{t})
	if err != nil {
		return t, err
	}
	if len(tasks) != 1 {
		return t, candor.Errorf(candor.CodeInternal, "the brain made %d tasks of one", len(tasks))
	}
	return tasks[0], nil
}

func (c *call) attempts() ([]candor.Attempt, error) {
	id, err := c.taskID()
	if err != nil {
		return nil, err
	}
	return c.opts.Store.Attempts(c.ctx(), id)
}

func (c *call) workers() ([]candor.Worker, error) {
	return do[[]candor.Worker](c.ctx(), c.Server, sched.Workers{})
}

func (c *call) models() ([]candor.ModelView, error) {
	return do[[]candor.ModelView](c.ctx(), c.Server, sched.Models{})
}

func (c *call) status() (candor.Status, error) {
	return do[candor.Status](c.ctx(), c.Server, sched.Status{})
}

func (c *call) resolve() (candor.Refs, error) { return c.find(c.ctx(), c.r.PathValue("prefix")) }

// why asks the brain, and for a task that has left its memory the store: what
// ended keeps the reason it ended with.
func (c *call) why() (candor.Explanation, error) {
	target := c.r.PathValue("target")
	told, err := do[candor.Explanation](c.ctx(), c.Server, sched.Why{Target: target})
	if err == nil || candor.CodeOf(err) != candor.CodeNotFound {
		return told, err
	}
	refs, findErr := c.find(c.ctx(), target)
	if findErr == nil && len(refs.Tasks) == 0 && len(refs.Batches) == 1 {
		return c.whyEnded(refs.Batches[0])
	}
	if findErr != nil || len(refs.Tasks) == 0 {
		return told, err
	}
	id, err := one(target, "task", refs.Tasks)
	if err != nil {
		return told, err
	}
	t, err := c.oneTask(id)
	if err != nil {
		return told, err
	}
	status, err := c.status()
	return candor.Explanation{Subject: "task", Task: &t, Reason: ended(&t), Revision: status.Revision, At: status.At}, err
}

// whyEnded is where a batch stands that has left the brain's memory: it ended.
func (c *call) whyEnded(id candor.BatchID) (candor.Explanation, error) {
	b, err := c.opts.Store.Batch(c.ctx(), id)
	if err != nil {
		return candor.Explanation{}, err
	}
	status, err := c.status()
	r := candor.NewReason(candor.ReasonDone, fmt.Sprintf("%s (%s) has ended: %s", b.ID, b.Name, b.Outcome))
	if b.Outcome != candor.OutcomeSucceeded {
		r = candor.NewReason(candor.ReasonFailedSummary, fmt.Sprintf("%s (%s) has ended: %s, %d of %d tasks failed", b.ID, b.Name, b.Outcome, b.Counts[candor.TaskFailed], b.Total)).
			Do("candor show " + b.ID.String())
	}
	r.Since = b.FinishedAt
	return candor.Explanation{
		Subject: "batch", Reason: *r, Revision: status.Revision, At: status.At,
		Batch: &candor.BatchWhy{ID: b.ID, Name: b.Name, State: b.State, Total: b.Total, Counts: b.Counts},
	}, err
}

// ended is why a task of an ended batch is where it is.
func ended(t *candor.Task) candor.Reason {
	if t.Reason != nil {
		return *t.Reason
	}
	r := candor.NewReason(candor.ReasonDone, fmt.Sprintf("%s is %s since %s", t.Name, t.State, candor.FormatTime(t.FinishedAt)))
	r.Since = t.FinishedAt
	return *r
}

// health tells whether the loop answers and can commit. It is public, so it
// tells nothing else.
func (c *call) health() error {
	ctx, cancel := context.WithTimeout(c.ctx(), healthTimeout)
	defer cancel()
	status, err := do[candor.Status](ctx, c.Server, sched.Status{})
	if err != nil || status.Trouble != "" {
		return candor.Errorf(candor.CodeUnavailable, "the brain's loop does not answer, or cannot commit")
	}
	return c.answer(struct{}{})
}
