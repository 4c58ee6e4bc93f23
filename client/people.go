package client

import (
	"context"
	"net/url"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
)

// Submit makes a batch of a plan.
func (c *Client) Submit(ctx context.Context, sub candor.Submission) (candor.SubmitReply, error) {
	return post[candor.SubmitReply](ctx, c, wire.OpSubmit, sub)
}

// Preview says who could take what of a plan. It changes nothing.
func (c *Client) Preview(ctx context.Context, sub candor.Submission) (candor.Preview, error) {
	return post[candor.Preview](ctx, c, wire.OpPreview, sub)
}

// Batches lists batches, newest first.
func (c *Client) Batches(ctx context.Context, q candor.BatchQuery) ([]candor.Batch, error) {
	return get[[]candor.Batch](ctx, c, wire.OpBatches, wire.BatchValues(q))
}

// Batch returns one batch with its steps, by id or unique prefix.
func (c *Client) Batch(ctx context.Context, ref string) (candor.Batch, error) {
	return get[candor.Batch](ctx, c, wire.OpBatch, nil, ref)
}

// AwaitBatch is Batch, answered once the batch has ended or wait is over: how it
// stands then. At most a minute.
func (c *Client) AwaitBatch(ctx context.Context, id candor.BatchID, wait time.Duration) (candor.Batch, error) {
	return await[candor.Batch](ctx, c, wire.OpBatch, wait, id.String())
}

// Tasks lists tasks of a batch, by id or unique prefix, or of all batches if
// batchRef is empty. q.Batch is used when batchRef is empty.
func (c *Client) Tasks(ctx context.Context, batchRef string, q candor.TaskQuery) ([]candor.Task, error) {
	if batchRef == "" && q.Batch != 0 {
		batchRef = q.Batch.String()
	}
	if batchRef == "" {
		return get[[]candor.Task](ctx, c, wire.OpTasks, wire.TaskValues(q))
	}
	return get[[]candor.Task](ctx, c, wire.OpBatchTasks, wire.TaskValues(q), batchRef)
}

// Task returns one task, by id or unique prefix.
func (c *Client) Task(ctx context.Context, ref string) (candor.Task, error) {
	return get[candor.Task](ctx, c, wire.OpTask, nil, ref)
}

// AwaitTask is Task, answered once the task is final or wait is over: how it
// stands then. At most a minute.
func (c *Client) AwaitTask(ctx context.Context, id candor.TaskID, wait time.Duration) (candor.Task, error) {
	return await[candor.Task](ctx, c, wire.OpTask, wait, id.String())
}

// Attempts returns the ended attempts of a task, oldest first.
func (c *Client) Attempts(ctx context.Context, ref string) ([]candor.Attempt, error) {
	return get[[]candor.Attempt](ctx, c, wire.OpAttempts, nil, ref)
}

// Why explains a task, by id or unique prefix, or a worker, by name.
func (c *Client) Why(ctx context.Context, target string) (candor.Explanation, error) {
	return get[candor.Explanation](ctx, c, wire.OpWhy, nil, target)
}

// Cancel ends tasks and batches. Pending of the reply counts attempts that have
// still to end.
func (c *Client) Cancel(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpCancel, req)
}

// Retry queues failed and cancelled tasks again.
func (c *Client) Retry(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpRetry, req)
}

// Pause stops handing out: everything, a class, a batch, a worker.
func (c *Client) Pause(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpPause, req)
}

// Resume undoes Pause.
func (c *Client) Resume(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpResume, req)
}

// Drain lets workers finish and take nothing new.
func (c *Client) Drain(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpDrain, req)
}

// Undrain undoes Drain.
func (c *Client) Undrain(ctx context.Context, req candor.ChangeRequest) (candor.ChangeReply, error) {
	return post[candor.ChangeReply](ctx, c, wire.OpUndrain, req)
}

// Workers lists the workers by name.
func (c *Client) Workers(ctx context.Context) ([]candor.Worker, error) {
	return get[[]candor.Worker](ctx, c, wire.OpWorkers, nil)
}

// Models lists the models that are wanted, loaded or could be, by name.
func (c *Client) Models(ctx context.Context) ([]candor.ModelView, error) {
	return get[[]candor.ModelView](ctx, c, wire.OpModels, nil)
}

// OrderModel has a model loaded, unloaded or fetched. The orders are tasks, which
// are under way when it returns.
func (c *Client) OrderModel(ctx context.Context, req candor.OrderRequest) (candor.OrderReply, error) {
	return post[candor.OrderReply](ctx, c, wire.OpOrder, req)
}

// Status is the farm at a glance.
func (c *Client) Status(ctx context.Context) (candor.Status, error) {
	return get[candor.Status](ctx, c, wire.OpStatus, nil)
}

// Events lists events, oldest first.
func (c *Client) Events(ctx context.Context, q candor.EventQuery) ([]candor.Event, error) {
	return get[[]candor.Event](ctx, c, wire.OpEvents, wire.EventValues(q))
}

// Resolve says what an id prefix or a worker's name names. Nothing found is an
// empty answer, not an error.
func (c *Client) Resolve(ctx context.Context, prefix string) (candor.Refs, error) {
	return get[candor.Refs](ctx, c, wire.OpResolve, nil, prefix)
}

// Health is nil when the brain's loop answers and can commit.
func (c *Client) Health(ctx context.Context) error {
	_, err := get[struct{}](ctx, c, wire.OpHealth, nil)
	return err
}

func get[R any](ctx context.Context, c *Client, op wire.Op, q url.Values, names ...string) (R, error) {
	var reply R
	err := c.call(ctx, request{op: op, names: names, query: q}, &reply)
	return reply, err
}

func await[R any](ctx context.Context, c *Client, op wire.Op, wait time.Duration, name string) (R, error) {
	var reply R
	err := c.call(ctx, request{op: op, names: []string{name}, query: wire.WaitValues(wait), wait: min(wait, wire.MaxWait)}, &reply)
	return reply, err
}

func post[R any](ctx context.Context, c *Client, op wire.Op, body any, names ...string) (R, error) {
	var reply R
	err := c.call(ctx, request{op: op, names: names, body: body}, &reply)
	return reply, err
}
