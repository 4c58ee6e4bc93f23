package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

// changing is what verbs that change state have in common.
type changing struct {
	verb string // as told: cancelled, paused
	send func(*client.Client, context.Context, candor.ChangeRequest) (candor.ChangeReply, error)
	ask  bool // a person confirms it, when it touches more than one task
	// await waits until it has happened, and says what has.
	await func(context.Context, *client.Client, candor.Changed) (string, error)
}

// addChange gives a changing verb its flags.
func addChange(cmd *cobra.Command, ch changing) {
	addOutput(cmd)
	f := cmd.Flags()
	f.Bool("dry-run", false, "say what would change, and change nothing")
	f.String("why", "", "the `reason`, for those who will ask")
	if ch.ask {
		f.BoolP("yes", "y", false, "do not ask")
	}
	if ch.await != nil {
		f.Bool("no-wait", false, "return when it was asked for, not when it has happened")
		addTimeout(cmd)
	}
}

// change asks for a change, waits until it has happened and says what changed.
func (a *app) change(cmd *cobra.Command, req candor.ChangeRequest, ch changing) error {
	ctx, cancel := withTimeout(cmd)
	defer cancel()
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	req.By = a.by()
	req.Why, _ = cmd.Flags().GetString("why")
	req.DryRun, _ = cmd.Flags().GetBool("dry-run")
	if ch.ask && !req.DryRun {
		if err := a.confirm(ctx, cmd, c, req, ch); err != nil {
			return err
		}
	}
	reply, err := ch.send(c, ctx, req)
	if err != nil {
		return err
	}
	if noWait, _ := cmd.Flags().GetBool("no-wait"); ch.await != nil && !noWait && !req.DryRun {
		for i, changed := range reply.Changed {
			text, err := ch.await(ctx, c, changed)
			if err != nil {
				return err
			}
			reply.Changed[i].Pending, reply.Changed[i].Text = 0, text
		}
	}
	if req.DryRun {
		a.talk("dry run: nothing was changed")
	}
	return a.showChanged(cmd, reply)
}

func (a *app) showChanged(cmd *cobra.Command, reply candor.ChangeReply) error {
	columns := []column[candor.Changed]{
		{title: "TARGET", cell: func(c candor.Changed) string { return c.Target }},
		{title: "TASKS", cell: func(c candor.Changed) string { return fmt.Sprint(c.Tasks) }},
		{title: "PENDING", cell: func(c candor.Changed) string { return fmt.Sprint(c.Pending) }},
		{title: "WHAT", cell: func(c candor.Changed) string { return c.Text }},
	}
	if f, err := outputOf(cmd); err == nil && f == formatTable {
		for _, c := range reply.Changed {
			fmt.Fprintln(a.Out, clean(c.Text))
		}
		return nil
	}
	return writeList(a, cmd, kind{"change", "changes"}, reply.Changed, columns)
}

// confirm asks a person on a terminal; elsewhere the command line is the word.
func (a *app) confirm(ctx context.Context, cmd *cobra.Command, c *client.Client, req candor.ChangeRequest, ch changing) error {
	if yes, _ := cmd.Flags().GetBool("yes"); yes || !a.interactive() {
		return nil
	}
	req.DryRun = true
	reply, err := ch.send(c, ctx, req)
	if err != nil {
		return err
	}
	tasks := 0
	for _, changed := range reply.Changed {
		tasks += changed.Tasks
	}
	if tasks <= 1 {
		return nil
	}
	fmt.Fprintf(a.Err, "%s touches %s. Go on? [y/N] ", ch.verb, plural(tasks, "task"))
	line, err := bufio.NewReader(a.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read answer: %w", err)
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return &candor.Error{Code: candor.CodeInterrupted, Message: "nothing was changed", Hint: "--yes does not ask"}
	}
	return nil
}
