package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) statusVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show the farm at a glance",
		Example: lines("candor status", "watch -n 5 candor status", "candor status --json | jq .queue"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			st, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			now := a.clk.Now()
			return writeOne(a, cmd, kind{one: "status"}, st, statusColumns(), func(w io.Writer, _ bool) {
				page{w: w, s: a.style(w), now: now}.status(st)
			})
		},
	}
	addOutput(cmd)
	return cmd
}

func statusColumns() []column[candor.Status] {
	number := func(title string, n func(candor.Status) int) column[candor.Status] {
		return column[candor.Status]{title: title, cell: func(s candor.Status) string { return fmt.Sprint(n(s)) }}
	}
	return []column[candor.Status]{
		{title: "AT", cell: func(s candor.Status) string { return candor.FormatTime(s.At) }},
		number("WORKERS", func(s candor.Status) int { return s.Workers }),
		number("ALIVE", func(s candor.Status) int { return s.Alive }),
		number("GPUS", func(s candor.Status) int { return s.GPUs }),
		number("GPUS_BUSY", func(s candor.Status) int { return s.GPUsBusy }),
		number("BATCHES", func(s candor.Status) int { return s.Batches }),
		number("QUEUED", func(s candor.Status) int { return s.Tasks[candor.TaskQueued] }),
		number("PROCESSING", func(s candor.Status) int { return s.Processing }),
		number("STUCK", func(s candor.Status) int { return s.Stuck }),
		number("RECENT", func(s candor.Status) int { return s.Recent }),
	}
}

func (p page) status(s candor.Status) {
	fmt.Fprintf(p.w, "%s  pid %d, up %s, revision %d\n", p.s.bold("brain "+clean(s.Version)), s.PID, age(p.now, s.Started), s.Revision)
	p.fact("workers", fmt.Sprintf("%d of %d alive", s.Alive, s.Workers))
	if s.GPUs > 0 {
		p.fact("gpus", fmt.Sprintf("%d of %d busy", s.GPUsBusy, s.GPUs))
	}
	p.fact("batches", fmt.Sprintf("%d active", s.Batches))
	queued := 0
	for _, n := range s.Queue {
		queued += n
	}
	text := fmt.Sprint(queued)
	if queued > 0 {
		text += " (" + sortedCounts(s.Queue) + ")"
	}
	p.fact("queue", text)
	p.fact("processing", fmt.Sprintf("%d, %d stuck", s.Processing, s.Stuck))
	p.fact("recent", fmt.Sprintf("%d completed in the last 5 minutes", s.Recent))
	for _, pause := range s.Pauses {
		p.fact("paused", pause.Scope+" "+pause.Target+" "+pauseText(pause, p.now))
	}
	if s.Trouble != "" {
		fmt.Fprintf(p.w, "  %s %s\n", p.s.red("trouble"), clean(s.Trouble))
	}
}
