package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) cancelVerb() *cobra.Command {
	ch := changing{verb: "cancel", send: (*client.Client).Cancel, ask: true, await: a.awaitCancelled}
	cmd := &cobra.Command{
		Use:   "cancel ID...",
		Short: "End batches or tasks",
		Long: `Cancels what has not ended, and returns when the processes of running attempts are
gone. What is complete stays so; candor retry brings cancelled tasks back.`,
		Example: lines("candor cancel b_9m3k4t2x", "candor cancel t_5g7n t_8k2m --why 'wrong input'",
			"candor cancel b_9m3k --dry-run"),
		Args: atLeastOne("ID..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd, candor.ChangeRequest{Targets: args}, ch)
		},
		ValidArgsFunction: a.completeNames(nameBatches | nameTasks),
	}
	addChange(cmd, ch)
	return cmd
}

// awaitCancelled waits until no attempt is left running: the brain makes a task
// final only when its worker has confirmed that the processes are gone.
func (a *app) awaitCancelled(ctx context.Context, c *client.Client, changed candor.Changed) (string, error) {
	switch {
	case changed.Pending == 0:
	case changed.Task != 0:
		t, err := a.awaitTask(ctx, c, changed.Task, func(candor.Task) {})
		if err != nil {
			return "", err
		}
		if t.State != candor.TaskCancelled { // it was quicker than the order
			return fmt.Sprintf("%s (%s) is %s: it ended before it could be cancelled", t.ID, t.Name, t.State), nil
		}
		return fmt.Sprintf("%s (%s) cancelled; it was running and is gone", t.ID, t.Name), nil
	case changed.Batch != 0:
		if _, err := a.awaitBatch(ctx, c, changed.Batch, func(candor.Batch) {}); err != nil {
			return "", err
		}
		were := "were running and are"
		if changed.Pending == 1 {
			were = "was running and is"
		}
		return fmt.Sprintf("%s: %s cancelled; %d of them %s gone", changed.Target, plural(changed.Tasks, "task"), changed.Pending, were), nil
	}
	return changed.Text, nil
}
