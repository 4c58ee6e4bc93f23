package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) showVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a batch, a task or a worker",
		Long: `Shows a batch with its steps and what failed, a task with its attempts and the
end of what it printed, or a worker with what it does.`,
		Example: lines("candor show b_9m3k4t2x", "candor show t_5g7n", "candor show worker-1 --json"),
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			t, err := find(cmd.Context(), c, args[0])
			switch {
			case err != nil:
				return err
			case t.task != 0:
				return a.showTask(cmd, c, t.task)
			case t.batch != 0:
				return a.showBatch(cmd, c, t.batch)
			default:
				return a.showWorker(cmd, c, t.worker)
			}
		},
		ValidArgsFunction: a.completeNames(nameBatches | nameTasks | nameWorkers),
	}
	addOutput(cmd)
	return cmd
}

// failedShown is how many failed tasks of a batch are shown at once.
const failedShown = 10

// batchReport is a batch with what went wrong in it.
type batchReport struct {
	BatchID candor.BatchID `json:"batch_id"` // as in every other answer that names a batch
	candor.Batch
	Failed []candor.Task `json:"failed,omitempty"` // the first few
	Stuck  []candor.Task `json:"stuck,omitempty"`
}

func (a *app) showBatch(cmd *cobra.Command, c *client.Client, id candor.BatchID) error {
	report, err := readBatch(cmd.Context(), c, id)
	if err != nil {
		return err
	}
	now := a.clk.Now()
	columns := wrap(batchColumns(now), func(r batchReport) candor.Batch { return r.Batch })
	return writeOne(a, cmd, kind{one: "batch"}, report, columns, func(w io.Writer, _ bool) {
		page{w: w, s: a.style(w), now: now}.batch(report)
	})
}

func readBatch(ctx context.Context, c *client.Client, id candor.BatchID) (batchReport, error) {
	b, err := c.Batch(ctx, id.String())
	if err != nil {
		return batchReport{}, err
	}
	r := batchReport{BatchID: b.ID, Batch: b}
	if b.Counts[candor.TaskFailed] > 0 {
		q := candor.TaskQuery{Batch: id, State: candor.TaskFailed, Limit: failedShown}
		if r.Failed, err = c.Tasks(ctx, "", q); err != nil {
			return batchReport{}, err
		}
	}
	if b.Counts[candor.TaskProcessing] > 0 {
		running, err := c.Tasks(ctx, "", candor.TaskQuery{Batch: id, State: candor.TaskProcessing})
		if err != nil {
			return batchReport{}, err
		}
		for _, t := range running {
			if t.Stuck {
				r.Stuck = append(r.Stuck, t)
			}
		}
	}
	return r, nil
}

// taskReport is a task with its history.
type taskReport struct {
	candor.Task
	Attempts []candor.Attempt `json:"attempts"`
}

func (a *app) showTask(cmd *cobra.Command, c *client.Client, id candor.TaskID) error {
	t, err := c.Task(cmd.Context(), id.String())
	if err != nil {
		return err
	}
	attempts, err := c.Attempts(cmd.Context(), id.String())
	if err != nil {
		return err
	}
	now := a.clk.Now()
	report := taskReport{Task: t, Attempts: attempts}
	columns := wrap(taskColumns(now), func(r taskReport) candor.Task { return r.Task })
	return writeOne(a, cmd, kind{one: "task"}, report, columns, func(w io.Writer, _ bool) {
		page{w: w, s: a.style(w), now: now}.task(report)
	})
}

func (a *app) showWorker(cmd *cobra.Command, c *client.Client, name string) error {
	w, err := workerNamed(cmd.Context(), c, name)
	if err != nil {
		return err
	}
	now := a.clk.Now()
	return writeOne(a, cmd, kind{one: "worker"}, w, workerColumns(now), func(out io.Writer, _ bool) {
		page{w: out, s: a.style(out), now: now}.worker(w)
	})
}

// wrap makes columns of a part into columns of the whole.
func wrap[W, P any](columns []column[P], part func(W) P) []column[W] {
	out := make([]column[W], len(columns))
	for i, c := range columns {
		out[i] = column[W]{title: c.title, wide: c.wide, state: c.state, cell: func(w W) string { return c.cell(part(w)) }}
		if c.tsv != nil {
			out[i].tsv = func(w W) string { return c.tsv(part(w)) }
		}
	}
	return out
}
