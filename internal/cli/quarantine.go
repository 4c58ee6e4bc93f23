package cli

import (
	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) quarantineVerb() *cobra.Command {
	ch := changing{verb: "quarantine", send: (*client.Client).Pause}
	cmd := &cobra.Command{
		Use:   "quarantine WORKER... --why REASON",
		Short: "Shut workers out that spoil what they run",
		Long: `Hands nothing out to WORKER any more, as candor does by itself with a worker on which
everything fails. What runs there, runs on. candor resume worker:NAME takes it back.`,
		Example: lines("candor worker quarantine worker-2 --why 'its card gives wrong results'"),
		Args:    atLeastOne("WORKER..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			if why, _ := cmd.Flags().GetString("why"); why == "" {
				return usage("--why is missing: a quarantine says what is wrong with the worker")
			}
			req := candor.ChangeRequest{Quarantine: true}
			for _, name := range args {
				req.Targets = append(req.Targets, workerPrefix+name)
			}
			return a.change(cmd, req, ch)
		},
		ValidArgsFunction: a.completeNames(nameWorkers),
	}
	addChange(cmd, ch)
	return cmd
}
