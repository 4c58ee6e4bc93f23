package cli

import (
	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) pauseVerb() *cobra.Command {
	return a.pausing(changing{verb: "pause", send: (*client.Client).Pause}, &cobra.Command{
		Use:   "pause TARGET...",
		Short: "Stop handing out tasks: all, of a class, a batch or to a worker",
		Long: `Nothing new is handed out for TARGET until candor resume; what runs, runs on.
TARGET is all, class:NAME, the id of a batch, or worker:NAME. Who paused what, when
and why is told by candor status and candor why.`,
		Example: lines("candor pause all --why 'power cut at nine'", "candor pause class:llm", "candor pause b_9m3k", "candor pause worker:worker-2"),
	})
}

func (a *app) resumeVerb() *cobra.Command {
	return a.pausing(changing{verb: "resume", send: (*client.Client).Resume}, &cobra.Command{
		Use:     "resume TARGET...",
		Short:   "Hand out again what was paused",
		Long:    `Undoes candor pause for TARGET: all, class:NAME, the id of a batch, or worker:NAME.`,
		Example: lines("candor resume all", "candor resume class:llm"),
	})
}

func (a *app) pausing(ch changing, cmd *cobra.Command) *cobra.Command {
	cmd.Args = atLeastOne("TARGET...")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.change(cmd, candor.ChangeRequest{Targets: args}, ch)
	}
	names := a.completeNames(nameBatches)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		offers, directive := names(cmd, args, prefix)
		offers = append(offers, "all")
		for _, c := range candor.Classes() {
			offers = append(offers, "class:"+string(c))
		}
		return beginning(prefix, offers), directive
	}
	addChange(cmd, ch)
	return cmd
}
