package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) lsVerb() *cobra.Command {
	var q candor.TaskQuery
	var state, class string
	var orders bool
	cmd := &cobra.Command{
		Use:   "ls [BATCH]",
		Short: "List batches, or the tasks of one",
		Long: `Lists batches, newest first, or the tasks of BATCH in the order of its plan.
With --status, --class, --step or --worker it lists tasks: of BATCH, or of all batches.
Orders about models are batches of one task, and listed by --orders alone.`,
		Example: lines("candor ls", "candor ls b_9m3k --status failed", "candor ls --worker worker-2 -o jsonl", "candor ls --orders -n 10"),
		Args:    atMost("BATCH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.State, q.Class = candor.TaskState(state), candor.Class(class)
			tasks := len(args) > 0 || state != "" || class != "" || q.Step != "" || q.Worker != ""
			batches := candor.BatchQuery{Limit: q.Limit}
			if orders {
				batches.Kind = candor.BatchOrder
			}
			switch {
			case orders && tasks:
				return usage("--orders lists all orders: it goes with --limit and --output only")
			case !tasks:
				return a.lsBatches(cmd, batches)
			}
			return a.lsTasks(cmd, args, q)
		},
		ValidArgsFunction: a.completeNames(nameBatches),
	}
	addOutput(cmd)
	f := cmd.Flags()
	f.StringVar(&state, "status", "", "only tasks in this `state`: "+join(candor.TaskStates()))
	f.StringVar(&class, "class", "", "only tasks of this `class`: "+join(candor.Classes()))
	f.StringVar(&q.Step, "step", "", "only tasks of this `step` of the plan")
	f.StringVar(&q.Worker, "worker", "", "only tasks of this `worker`")
	f.BoolVar(&orders, "orders", false, "the orders to load, unload and fetch models, newest first")
	f.IntVarP(&q.Limit, "limit", "n", 100, "at most so many")
	completeWords(cmd, "status", words(candor.TaskStates()))
	completeWords(cmd, "class", words(candor.Classes()))
	_ = cmd.RegisterFlagCompletionFunc("worker", a.completeNames(nameWorkers))
	return cmd
}

func (a *app) lsBatches(cmd *cobra.Command, q candor.BatchQuery) error {
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	batches, err := c.Batches(cmd.Context(), q)
	if err != nil {
		return err
	}
	return a.writeBatches(cmd, batches)
}

func (a *app) lsTasks(cmd *cobra.Command, args []string, q candor.TaskQuery) error {
	if err := oneOf("--status", string(q.State), words(candor.TaskStates())); err != nil {
		return err
	}
	if err := oneOf("--class", string(q.Class), words(candor.Classes())); err != nil {
		return err
	}
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		if q.Batch, err = findBatch(cmd.Context(), c, args[0]); err != nil {
			return err
		}
	}
	if q.Worker != "" {
		if w, err := workerNamed(cmd.Context(), c, q.Worker); err == nil { // a prefix of its name is enough
			q.Worker = w.Name
		}
	}
	tasks, err := c.Tasks(cmd.Context(), "", q)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		a.tellUnknown(cmd.Context(), c, q)
	}
	return writeList(a, cmd, kind{"task", "tasks"}, tasks, taskColumns(a.clk.Now()))
}

// writeBatches answers with batches in the shape in which show has one.
func (a *app) writeBatches(cmd *cobra.Command, batches []candor.Batch) error {
	reports := make([]batchReport, len(batches))
	for i, b := range batches {
		reports[i] = batchReport{BatchID: b.ID, Batch: b}
	}
	columns := wrap(batchColumns(a.clk.Now()), func(r batchReport) candor.Batch { return r.Batch })
	return writeList(a, cmd, kind{"batch", "batches"}, reports, columns)
}

func batchColumns(now time.Time) []column[candor.Batch] {
	return []column[candor.Batch]{
		{title: "BATCH", cell: func(b candor.Batch) string { return b.ID.String() }},
		{title: "NAME", cell: func(b candor.Batch) string { return b.Name }},
		{title: "STATE", state: true, cell: batchState},
		{title: "DONE", cell: func(b candor.Batch) string { return fmt.Sprintf("%d/%d", b.Counts[candor.TaskComplete], b.Total) }},
		{title: "RUNS", cell: func(b candor.Batch) string { return strconv.Itoa(b.Counts[candor.TaskProcessing]) }},
		{title: "FAILED", cell: func(b candor.Batch) string { return strconv.Itoa(b.Counts[candor.TaskFailed]) }},
		{title: "AGE", cell: func(b candor.Batch) string { return age(now, b.CreatedAt) }, tsv: func(b candor.Batch) string { return stamp(b.CreatedAt) }},
		{title: "KEY", wide: true, cell: func(b candor.Batch) string { return orDash(b.Key) }},
		{title: "CREATED", wide: true, cell: func(b candor.Batch) string { return candor.FormatTime(b.CreatedAt) }},
		{title: "FINISHED", wide: true, cell: func(b candor.Batch) string { return stamp(b.FinishedAt) }},
		{title: "DIR", wide: true, cell: func(b candor.Batch) string { return orDash(b.Dir) }},
	}
}

// batchState is one word: how it ended, or whether it may go on.
func batchState(b candor.Batch) string {
	switch {
	case b.Outcome != candor.OutcomeNone:
		return string(b.Outcome)
	case b.Paused != nil:
		return "paused"
	default:
		return string(b.State)
	}
}

func taskColumns(now time.Time) []column[candor.Task] {
	return []column[candor.Task]{
		{title: "TASK", cell: func(t candor.Task) string { return t.ID.String() }},
		{title: "NAME", cell: func(t candor.Task) string { return t.Name }},
		{title: "CLASS", cell: func(t candor.Task) string { return string(t.Class) }},
		{title: "STATE", state: true, cell: taskState},
		{title: "TRY", cell: triesCell},
		{title: "WORKER", cell: func(t candor.Task) string { return orDash(t.Worker) }},
		{title: "SINCE", cell: func(t candor.Task) string { return age(now, since(t)) }, tsv: func(t candor.Task) string { return stamp(since(t)) }},
		{title: "BATCH", wide: true, cell: func(t candor.Task) string { return t.Batch.String() }},
		{title: "ITEM", wide: true, cell: func(t candor.Task) string { return orDash(string(t.Item)) }},
		{title: "WHY", cell: taskWhy},
	}
}

func taskState(t candor.Task) string {
	if t.Stuck {
		return "stuck"
	}
	return string(t.State)
}

// since is when a task came into its state.
func since(t candor.Task) time.Time {
	switch t.State {
	case candor.TaskProcessing:
		return t.StartedAt
	case candor.TaskQueued:
		return t.QueuedAt
	case candor.TaskComplete, candor.TaskFailed, candor.TaskCancelled:
		return t.FinishedAt
	default:
		return t.CreatedAt
	}
}

func taskWhy(t candor.Task) string {
	switch {
	case t.State == candor.TaskComplete && t.Last != nil && t.Last.Rows != nil && t.Last.Rows.Failed > 0:
		return "rows: " + rowsText(*t.Last.Rows)
	case t.State == candor.TaskComplete:
		return ""
	case t.Reason != nil:
		return t.Reason.Text
	case t.Last != nil && t.Last.Reason != nil:
		return t.Last.Reason.Text
	case t.Progress != nil:
		return progressText(*t.Progress)
	default:
		return ""
	}
}

// progressText is what a running task last said or showed.
func progressText(p candor.Progress) string {
	var parts []string
	switch {
	case p.Kind == "pull" && p.Total > 0:
		parts = append(parts, fmt.Sprintf("%s of %s", candor.Bytes(p.Done), candor.Bytes(p.Total)))
	case p.Total > 0 && (p.Kind == "row" || p.Kind == "tokens"):
		parts = append(parts, fmt.Sprintf("%d/%d rows", p.Done, p.Total))
	case p.Total > 0:
		parts = append(parts, fmt.Sprintf("%d/%d", p.Done, p.Total))
	case p.Done > 0:
		parts = append(parts, strconv.FormatInt(p.Done, 10))
	}
	if p.Note != "" {
		parts = append(parts, p.Note)
	}
	if p.State != "" {
		parts = append(parts, p.State)
	}
	return strings.Join(parts, ", ")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return candor.FormatTime(t)
}
