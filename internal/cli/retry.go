package cli

import (
	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) retryVerb() *cobra.Command {
	var failed bool
	var class string
	ch := changing{verb: "retry", send: (*client.Client).Retry, ask: true}
	cmd := &cobra.Command{
		Use:   "retry ID...|--failed",
		Short: "Queue failed and cancelled tasks again",
		Long: `Queues failed and cancelled tasks again, with a fresh budget of attempts, and
revives what waited for them. What a cancel is just ending is queued again once
it has ended. Ids stay; each try adds an attempt. --failed without ID means every
failed task of every batch.`,
		Example: lines("candor retry t_5g7n", "candor retry b_9m3k4t2x --failed", "candor retry --failed --class llm"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				if !failed {
					return atLeastOne("ID...")(cmd, args)
				}
				args = []string{"all"}
			}
			if err := oneOf("--class", class, words(candor.Classes())); err != nil {
				return err
			}
			return a.change(cmd, candor.ChangeRequest{Targets: args, Failed: failed, Class: candor.Class(class)}, ch)
		},
		ValidArgsFunction: a.completeNames(nameBatches | nameTasks),
	}
	addChange(cmd, ch)
	cmd.Flags().BoolVar(&failed, "failed", false, "failed tasks only, not cancelled ones")
	cmd.Flags().StringVar(&class, "class", "", "tasks of this `class` only: "+join(candor.Classes()))
	completeWords(cmd, "class", words(candor.Classes()))
	return cmd
}
