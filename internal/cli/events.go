package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) eventsVerb() *cobra.Command {
	var follow bool
	var q candor.EventQuery
	var level string
	cmd := &cobra.Command{
		Use:   "events [ID]",
		Short: "List what happened, or follow what happens",
		Long:  `Lists the last events of the farm, or of a batch, task or worker, oldest first.`,
		Example: lines("candor events -n 20", "candor events -f --level WARN", "candor events b_9m3k4t2x -o jsonl",
			"candor events worker-1 -f"),
		Args: atMost("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Level = candor.Level(strings.ToUpper(level))
			if err := oneOf("--level", string(q.Level), levels()); err != nil {
				return err
			}
			return a.events(cmd, args, q, follow)
		},
		ValidArgsFunction: a.completeNames(nameBatches | nameTasks | nameWorkers),
	}
	addOutput(cmd)
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "go on with what happens, until interrupted")
	f.IntVarP(&q.Last, "last", "n", 100, "the newest so many")
	f.StringVar(&level, "level", "", "this `level` and above: "+strings.Join(levels(), ", "))
	completeWords(cmd, "level", levels())
	return cmd
}

func levels() []string {
	return words([]candor.Level{candor.LevelDebug, candor.LevelInfo, candor.LevelWarn, candor.LevelError})
}

func (a *app) events(cmd *cobra.Command, args []string, q candor.EventQuery, follow bool) error {
	ctx := cmd.Context()
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		t, err := find(ctx, c, args[0])
		if err != nil {
			return err
		}
		q.Batch, q.Task, q.Worker = t.batch, t.task, t.worker
	}
	past, err := c.Events(ctx, q)
	if err != nil {
		return err
	}
	f, err := outputOf(cmd)
	if err != nil {
		return err
	}
	if !follow && f != formatTable {
		return writeList(a, cmd, kind{"event", "events"}, past, eventColumns())
	}
	show := a.eventWriter(f)
	for _, e := range past {
		if err := show(e); err != nil {
			return err
		}
		q.After = e.Seq
	}
	if !follow {
		return nil
	}
	if len(past) == 0 {
		q.After = candor.FromNow
	}
	q.Last = 0
	return c.Follow(ctx, q, show)
}

// eventWriter writes events as they come: in JSON one to a line whatever was
// asked, since a document without an end is none.
func (a *app) eventWriter(f format) func(candor.Event) error {
	s := a.style(a.Out)
	return func(e candor.Event) error {
		switch f {
		case formatJSON, formatJSONL:
			return writeJSON(a.Out, "event", e, false)
		case formatTSV:
			_, err := fmt.Fprintln(a.Out, tsvLine(e, eventColumns()))
			return err
		case formatTable, formatWide:
		}
		return eventLine(a.Out, s, e)
	}
}

// eventLine writes an event as the console of a brain does.
func eventLine(w io.Writer, s style, e candor.Event) error {
	mark := ""
	switch e.Level {
	case candor.LevelWarn:
		mark = s.yellow("WARNING") + " "
	case candor.LevelError:
		mark = s.red("ERROR") + " "
	case candor.LevelDebug, candor.LevelInfo:
	}
	_, err := fmt.Fprintf(w, "%s %s%s\n", s.dim("["+candor.FormatTime(e.At)+"]"), mark, clean(e.Text))
	return err
}

func eventColumns() []column[candor.Event] {
	return []column[candor.Event]{
		{title: "SEQ", cell: func(e candor.Event) string { return fmt.Sprint(e.Seq) }},
		{title: "TIME", cell: func(e candor.Event) string { return candor.FormatTime(e.At) }},
		{title: "LEVEL", cell: func(e candor.Event) string { return string(e.Level) }},
		{title: "CODE", cell: func(e candor.Event) string { return string(e.Code) }},
		{title: "BATCH", cell: func(e candor.Event) string { return idOrDash(e.Batch != 0, e.Batch) }},
		{title: "TASK", cell: func(e candor.Event) string { return idOrDash(e.Task != 0, e.Task) }},
		{title: "WORKER", cell: func(e candor.Event) string { return orDash(e.Worker) }},
		{title: "REASON", cell: func(e candor.Event) string { return orDash(string(e.Reason)) }},
		{title: "TEXT", cell: func(e candor.Event) string { return e.Text }},
	}
}

func idOrDash(set bool, id fmt.Stringer) string {
	if !set {
		return "-"
	}
	return id.String()
}
