package cli

import (
	"io"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) submitVerb() *cobra.Command {
	var key string
	var expires string
	var wait, dry bool
	cmd := &cobra.Command{
		Use:   "submit PLAN",
		Short: "Give a plan to a running brain",
		Long: `Checks PLAN, makes a batch of it and prints the batch's id. --wait stays until the
batch has ended, with the exit codes of candor wait; what --timeout or a signal
ends then is the wait, and the batch goes on. The same plan submitted twice
runs twice, unless both carry the same --key.`,
		Example: lines("candor submit plan.yaml -i folder=docs", "candor submit plan.yaml --wait --timeout 1h",
			"candor submit plan.yaml --key nightly-2026-11-24 --json | jq -r .batch_id"),
		Args: exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("timeout") && !wait {
				return usage("--timeout bounds the wait of --wait, which was not asked for")
			}
			sub, err := a.readPlan(cmd, args[0])
			if err != nil {
				return err
			}
			if key != "" {
				sub.Key = key
			}
			if expires != "" {
				if err := sub.Expires.UnmarshalText([]byte(expires)); err != nil {
					return err
				}
			}
			if dry {
				return a.submitDry(cmd, sub)
			}
			return a.submit(cmd, sub, wait)
		},
	}
	a.addInputs(cmd)
	addOutput(cmd)
	addTimeout(cmd)
	f := cmd.Flags()
	f.StringVar(&key, "key", "", "`name` of this batch that no second one may have")
	f.StringVar(&expires, "expires", "", "cancel what has not ended after this `time`, like 24h")
	f.BoolVar(&wait, "wait", false, "stay until the batch has ended")
	f.BoolVar(&dry, "dry-run", false, "say what would be created, and create nothing")
	return cmd
}

func (a *app) submit(cmd *cobra.Command, sub *candor.Submission, wait bool) error {
	ctx, cancel := withTimeout(cmd)
	defer cancel()
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	// The timeout is of the wait: cut off here, one could not name a batch that
	// was created all the same.
	reply, err := c.Submit(cmd.Context(), *sub)
	if err != nil {
		return err
	}
	a.warnings(reply.Warnings)
	if !wait {
		return a.showSubmitted(cmd, reply)
	}
	if f, err := outputOf(cmd); err == nil && (f == formatTable || f == formatWide) {
		_, _ = io.WriteString(a.Out, reply.Batch.String()+"\n") // at once, whatever becomes of the wait
		a.talk("submitted with %s", plural(reply.Tasks, "task"))
	} else {
		a.talk("submitted %s with %s", reply.Batch, plural(reply.Tasks, "task"))
	}
	return a.waitBatch(ctx, cmd, c, reply.Batch)
}

// warnings tells what a submitter should know, though it is no error.
func (a *app) warnings(all []candor.Warning) {
	for _, w := range all {
		text := w.Reason.Text
		if w.Step != "" {
			text = w.Step + ": " + text
		}
		a.talk("%s %s", "warning:", text)
		if w.Reason.Next != "" {
			a.talk("hint: %s", w.Reason.Next)
		}
	}
}

func (a *app) showSubmitted(cmd *cobra.Command, reply candor.SubmitReply) error {
	columns := []column[candor.SubmitReply]{
		{title: "BATCH", cell: func(r candor.SubmitReply) string { return r.Batch.String() }},
		{title: "TASKS", cell: func(r candor.SubmitReply) string { return plural(r.Tasks, "task") }},
	}
	return writeOne(a, cmd, kind{one: "submission"}, reply, columns, func(w io.Writer, _ bool) {
		_, _ = io.WriteString(w, reply.Batch.String()+"\n") // as every view: a closed pipe ends the program by itself
		a.talk("submitted with %s; candor show %s shows it", plural(reply.Tasks, "task"), reply.Batch)
	})
}

func (a *app) submitDry(cmd *cobra.Command, sub *candor.Submission) error {
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	p, err := c.Preview(cmd.Context(), *sub)
	if err != nil {
		return err
	}
	return a.showPreview(cmd, p)
}
