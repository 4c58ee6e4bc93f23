package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) waitVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wait ID",
		Short: "Wait until a batch or a task has ended",
		Long: `Waits until every task of a batch, or one task, is final. Leaves with 0 if all
succeeded, 3 if some failed, 4 if it was cancelled or expired, 124 if --timeout ran out.
Rows that failed within tasks that are complete do not change the code (a step that is
strict fails by them); they are told on stderr, as are outputs that are alike.`,
		Example: lines("candor wait b_9m3k4t2x", "candor wait b_9m3k --timeout 10m || candor show b_9m3k"),
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
				return a.waitTask(cmd, c, t.task)
			case t.batch != 0:
				ctx, cancel := withTimeout(cmd)
				defer cancel()
				return a.waitBatch(ctx, cmd, c, t.batch)
			default:
				e := usage("%s is a worker; wait is for a batch or a task", args[0])
				e.Hint = "candor worker drain " + t.worker + " waits until it runs nothing"
				return e
			}
		},
		ValidArgsFunction: a.completeNames(nameBatches | nameTasks),
	}
	addOutput(cmd)
	addTimeout(cmd)
	return cmd
}

func (a *app) waitTask(cmd *cobra.Command, c *client.Client, id candor.TaskID) error {
	ctx, cancel := withTimeout(cmd)
	defer cancel()
	if _, err := a.awaitTask(ctx, c, id, func(candor.Task) {}); err != nil {
		return err
	}
	if err := a.showTask(cmd, c, id); err != nil {
		return err
	}
	t, err := c.Task(ctx, id.String())
	if err != nil {
		return err
	}
	return endedTask(t.State)
}

func endedTask(s candor.TaskState) error {
	switch s {
	case candor.TaskFailed:
		return &outcome{exitTasksFailed}
	case candor.TaskCancelled:
		return &outcome{exitCancelled}
	default:
		return nil
	}
}

// waitBatch shows progress while a batch runs, then how it ended.
func (a *app) waitBatch(ctx context.Context, cmd *cobra.Command, c *client.Client, id candor.BatchID) error {
	shown := a.progress()
	b, err := a.awaitBatch(ctx, c, id, shown.update)
	shown.stop()
	if err != nil {
		return a.waitedInVain(ctx, cmd, c, id, err)
	}
	if err := a.answerBatch(ctx, cmd, c, b); err != nil {
		return err
	}
	return ended(b.Outcome)
}

// standPatience is how long a brain has to say how a batch stands that is waited
// for no longer.
const standPatience = 2 * time.Second

// waitedInVain is the end of a wait before the batch's: it names the batch, and
// answers a program with how it stands.
func (a *app) waitedInVain(ctx context.Context, cmd *cobra.Command, c *client.Client, id candor.BatchID, err error) error {
	code := candor.CodeOf(err)
	stopped := code == candor.CodeInterrupted || ctx.Err() != nil && code != candor.CodeTimeout
	if code != candor.CodeTimeout && !stopped {
		return err
	}
	hint := fmt.Sprintf("%s goes on: candor wait %s waits for it, candor show %s shows it", id, id, id)
	if stopped {
		a.talk("%s", hint)
	} else {
		err = &candor.Error{Code: code, Message: "the time given by --timeout ran out", Hint: hint}
	}
	if f, wrong := outputOf(cmd); wrong != nil || f == formatTable || f == formatWide {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), standPatience)
	defer cancel()
	if report, failed := readBatch(ctx, c, id); failed == nil {
		return errors.Join(err, a.showEnding(cmd, report))
	}
	return err
}

// answerBatch writes how a batch ended, with what failed.
func (a *app) answerBatch(ctx context.Context, cmd *cobra.Command, c *client.Client, b candor.Batch) error {
	report, err := readBatch(ctx, c, b.ID)
	if err != nil {
		return err
	}
	if err := a.showEnding(cmd, report); err != nil {
		return err
	}
	a.flagged(report.Batch)
	return nil
}

func (a *app) showEnding(cmd *cobra.Command, report batchReport) error {
	now := a.clk.Now()
	columns := wrap(batchColumns(now), func(r batchReport) candor.Batch { return r.Batch })
	return writeOne(a, cmd, kind{one: "batch"}, report, columns, func(w io.Writer, _ bool) {
		page{w: w, s: a.style(w), now: now}.ending(report)
	})
}
