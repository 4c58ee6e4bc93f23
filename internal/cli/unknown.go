package cli

import (
	"context"

	"candor"
	"candor/client"
)

// tellUnknown says on stderr, when a list of tasks is empty, that a name it was
// narrowed by is none that is known: nothing of a worker and no such worker are
// two answers. It is no error, for a worker that left long ago is not known either.
func (a *app) tellUnknown(ctx context.Context, c *client.Client, q candor.TaskQuery) {
	if q.Worker != "" {
		if _, err := workerNamed(ctx, c, q.Worker); candor.CodeOf(err) == candor.CodeNotFound && err != nil {
			a.talk("%v; %s", err, hintOf(err))
		}
	}
	if q.Step == "" {
		return
	}
	if q.Batch == 0 {
		a.talk("no task of a step %q is known", q.Step)
		return
	}
	b, err := c.Batch(ctx, q.Batch.String())
	if err != nil {
		return
	}
	var names []string
	for _, s := range b.Steps {
		if s.Name == q.Step {
			return
		}
		names = append(names, s.Name)
	}
	if near := candor.Nearest(q.Step, names); near != "" {
		a.talk("batch %s has no step %q; did you mean %s?", q.Batch, q.Step, near)
	} else {
		a.talk("batch %s has no step %q; its steps are %s", q.Batch, q.Step, joinAnd(names))
	}
}
