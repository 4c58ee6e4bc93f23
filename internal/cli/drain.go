package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) drainVerb() *cobra.Command {
	return a.draining(changing{verb: "drain", send: (*client.Client).Drain, await: a.awaitIdle}, &cobra.Command{
		Use:     "drain WORKER...",
		Short:   "Let workers finish what they run and take nothing new",
		Long:    `Returns when nothing runs on WORKER any more. candor worker undrain takes it back.`,
		Example: lines("candor worker drain worker-2", "candor worker drain worker-1 worker-2 --timeout 10m", "candor worker drain worker-2 --no-wait"),
	})
}

func (a *app) undrainVerb() *cobra.Command {
	return a.draining(changing{verb: "undrain", send: (*client.Client).Undrain}, &cobra.Command{
		Use:     "undrain WORKER...",
		Short:   "Let drained workers take tasks again",
		Example: lines("candor worker undrain worker-2"),
	})
}

func (a *app) draining(ch changing, cmd *cobra.Command) *cobra.Command {
	cmd.Args = atLeastOne("WORKER...")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var targets []string
		for _, name := range args {
			targets = append(targets, workerPrefix+name)
		}
		return a.change(cmd, candor.ChangeRequest{Targets: targets}, ch)
	}
	cmd.ValidArgsFunction = a.completeNames(nameWorkers)
	addChange(cmd, ch)
	return cmd
}

// awaitIdle waits until nothing runs on a worker, or it has left.
func (a *app) awaitIdle(ctx context.Context, c *client.Client, changed candor.Changed) (string, error) {
	name := strings.TrimPrefix(changed.Target, workerPrefix)
	text := name + " has drained: it runs nothing and takes nothing new"
	err := a.poll(ctx, func(ctx context.Context, _ time.Duration) (bool, error) {
		w, err := workerNamed(ctx, c, name)
		gone := err == nil && w.State == candor.WorkerGone || err != nil && candor.CodeOf(err) == candor.CodeNotFound
		if gone {
			text = name + " has left: nothing runs on it"
			return true, nil
		}
		return err == nil && len(w.Running) == 0, err
	})
	return text, err
}
