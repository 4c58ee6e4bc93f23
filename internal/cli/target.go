package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

const workerPrefix = "worker:"

// target is what an argument names: a batch, a task or a worker.
type target struct {
	batch  candor.BatchID
	task   candor.TaskID
	worker string
}

// find resolves an id, a unique prefix of one, or a worker's name.
func find(ctx context.Context, c *client.Client, ref string) (target, error) {
	if name, ok := strings.CutPrefix(ref, workerPrefix); ok {
		return target{worker: name}, nil
	}
	if id, err := candor.ParseTaskID(ref); err == nil {
		return target{task: id}, nil
	}
	if id, err := candor.ParseBatchID(ref); err == nil {
		return target{batch: id}, nil
	}
	refs, err := c.Resolve(ctx, ref)
	if err != nil {
		return target{}, err
	}
	if slices.Contains(refs.Workers, ref) { // a whole name beats the prefix of another
		return target{worker: ref}, nil
	}
	all := named(refs)
	switch {
	case len(all) == 0:
		return target{}, &candor.Error{
			Code: candor.CodeNotFound, Message: fmt.Sprintf("nothing is named %q", ref),
			Hint: "candor ls lists batches, candor ls BATCH its tasks, candor worker ls the workers, candor model ls the models",
		}
	case len(all) > 1:
		return target{}, &candor.Error{
			Code: candor.CodeAmbiguous, Message: fmt.Sprintf("%q could be %s", ref, strings.Join(all, ", ")),
			Hint: "write more of it",
		}
	case len(refs.Batches) == 1:
		return target{batch: refs.Batches[0]}, nil
	case len(refs.Tasks) == 1:
		return target{task: refs.Tasks[0]}, nil
	default:
		return target{worker: refs.Workers[0]}, nil
	}
}

// whole tells whether a reference is all of an id or of a worker's name, and not
// the beginning of an id.
func whole(t target, ref string) bool {
	return t.worker != "" || t.task != 0 && t.task.String() == ref || t.batch != 0 && t.batch.String() == ref
}

func named(refs candor.Refs) []string {
	var all []string
	for _, b := range refs.Batches {
		all = append(all, b.String())
	}
	for _, t := range refs.Tasks {
		all = append(all, t.String())
	}
	return append(all, refs.Workers...)
}

// findBatch resolves a reference that must be a batch.
func findBatch(ctx context.Context, c *client.Client, ref string) (candor.BatchID, error) {
	t, err := find(ctx, c, ref)
	if err == nil && t.batch == 0 {
		e := usage("%s is not a batch", ref)
		e.Hint = "candor ls lists batches"
		err = e
	}
	return t.batch, err
}

// findTask resolves a reference that must be a task.
func findTask(ctx context.Context, c *client.Client, ref string) (candor.TaskID, error) {
	t, err := find(ctx, c, ref)
	if err == nil && t.task == 0 {
		e := usage("%s is not a task", ref)
		e.Hint = "candor ls " + ref + " lists the tasks of a batch"
		if t.worker != "" {
			e.Hint = "candor ls --worker " + t.worker + " lists its tasks"
		}
		err = e
	}
	return t.task, err
}

// kinds of things that an argument can name, for completion.
const (
	nameBatches = 1 << iota
	nameTasks
	nameWorkers
	nameModels
)

const completionPatience = 2 * time.Second

// completeNames offers what exists to the shell, with a word about each. A
// brain that does not answer offers nothing.
func (a *app) completeNames(kinds int) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
		defer cancel()
		c, err := a.client(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(prefix, offer(ctx, c, kinds)), cobra.ShellCompDirectiveNoFileComp
	}
}

// beginning picks the offers that begin with what was typed.
func beginning(prefix string, offers []string) []string {
	return slices.DeleteFunc(slices.Clone(offers), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

func offer(ctx context.Context, c *client.Client, kinds int) []string {
	var offers []string
	add := func(word, about string) {
		offers = append(offers, cobra.CompletionWithDesc(word, clean(about)))
	}
	if kinds&nameBatches != 0 {
		for _, kind := range []string{"", candor.BatchOrder} {
			batches, _ := c.Batches(ctx, candor.BatchQuery{Kind: kind})
			for _, b := range batches {
				add(b.ID.String(), b.Name+" "+batchState(b))
			}
		}
	}
	if kinds&nameTasks != 0 {
		for _, state := range []candor.TaskState{candor.TaskProcessing, candor.TaskFailed, candor.TaskQueued, candor.TaskBlocked} {
			tasks, _ := c.Tasks(ctx, "", candor.TaskQuery{State: state})
			for _, t := range tasks {
				add(t.ID.String(), t.Name+" "+string(t.State))
			}
		}
	}
	if kinds&nameWorkers != 0 {
		workers, _ := c.Workers(ctx)
		for _, w := range workers {
			add(w.Name, string(w.State))
		}
	}
	if kinds&nameModels != 0 {
		models, _ := c.Models(ctx)
		for _, m := range models {
			add(m.Name, "loaded on "+loadedOn(m))
		}
	}
	return offers
}
