package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) whyVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why TASK|WORKER|BATCH|MODEL",
		Short: "Say why a task does not run, why a worker is idle, where a batch stands, or why a model is not loaded",
		Long: `Says in one sentence why TASK is where it is or WORKER is idle, whose move it is
and since when; then what each worker says to the task, or the worker to what is
queued, by the same checks that decide. "never" could not even when idle, "not
now" could when something passes. A BATCH is told by its tasks, grouped by step and
reason: what somebody has to act on first. For a MODEL it says what each worker answers to
loading it; -o wide adds the questions that were answered with yes.`,
		Example: lines("candor why t_5g7n", "candor why worker-2", "candor why b_9m3k", "candor why qwen2.5:7b -o wide", "candor why t_5g7n --json | jq .reason.code"),
		Args:    exactly("TASK|WORKER|BATCH|MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			t, err := find(cmd.Context(), c, args[0])
			if err != nil || !whole(t, args[0]) {
				// A model's name is no id, but may look like the beginning of one.
				if m, failed := modelNamed(cmd.Context(), c, args[0]); m != nil {
					return a.whyModel(cmd, m)
				} else if err != nil {
					return errors.Join(err, failed)
				}
			}
			name := t.worker
			switch {
			case t.task != 0:
				name = t.task.String()
			case t.batch != 0:
				name = t.batch.String()
			}
			x, err := c.Why(cmd.Context(), name)
			if err != nil {
				return err
			}
			now := a.clk.Now()
			return writeOne(a, cmd, kind{one: "explanation"}, x, whyColumns(), func(w io.Writer, wide bool) {
				page{w: w, s: a.style(w), now: now}.why(x, wide)
			})
		},
		ValidArgsFunction: a.completeNames(nameTasks | nameWorkers | nameBatches | nameModels),
	}
	addOutput(cmd)
	return cmd
}

func whyColumns() []column[candor.Explanation] {
	return []column[candor.Explanation]{
		{title: "SUBJECT", cell: subjectName},
		{title: "CODE", cell: func(x candor.Explanation) string { return string(x.Reason.Code) }},
		{title: "MOVE", cell: func(x candor.Explanation) string { return string(x.Reason.Mover) }},
		{title: "SINCE", cell: func(x candor.Explanation) string { return stamp(x.Reason.Since) }},
		{title: "TEXT", cell: func(x candor.Explanation) string { return x.Reason.Text }},
		{title: "NEXT", cell: func(x candor.Explanation) string { return orDash(x.Reason.Next) }},
		{title: "REVISION", cell: func(x candor.Explanation) string { return fmt.Sprint(x.Revision) }},
		{title: "AT", cell: func(x candor.Explanation) string { return stamp(x.At) }},
	}
}

func subjectName(x candor.Explanation) string {
	switch {
	case x.Task != nil:
		return x.Task.ID.String()
	case x.Worker != nil:
		return x.Worker.Name
	case x.Batch != nil:
		return x.Batch.ID.String()
	default:
		return x.Subject
	}
}

// why is an explanation: prose first, then the checks, then how old it is.
func (p page) why(x candor.Explanation, wide bool) {
	switch {
	case x.Task != nil:
		p.title(x.Task.ID.String(), x.Task.Name, taskState(*x.Task))
	case x.Worker != nil:
		p.title(x.Worker.Name, join(x.Worker.Classes), workerState(*x.Worker))
	case x.Batch != nil:
		p.title(x.Batch.ID.String(), x.Batch.Name, string(x.Batch.State))
	}
	if x.Trouble != "" {
		fmt.Fprintf(p.w, "\n%s %s. Nothing begins or ends until the brain can commit, which is the operator's move.\n", p.s.red("trouble:"), clean(x.Trouble))
	}
	p.say(x.Reason)
	p.old(x.Revision, x.At)
	if x.Batch != nil {
		p.groups(x.Batch.Groups)
	}
	p.chain(x.Chain)
	p.workers(x.Workers, wide)
	p.queue(x.Queue, wide)
	if x.Worker != nil {
		p.whyServer(*x.Worker)
	}
	p.speaksOf(x.Revision, x.At, x.Reason.Code)
}

// oldAnswer is the age from which an answer is not taken for what is now.
const oldAnswer = 10 * time.Second

// old warns of an answer that speaks of a state that is long past.
func (p page) old(revision int64, at time.Time) {
	if !at.IsZero() && p.now.Sub(at) >= oldAnswer {
		fmt.Fprintf(p.w, "%s this speaks of revision %d, %s ago (%s); ask again, or compare the clocks of both machines\n",
			p.s.yellow("old:"), revision, age(p.now, at), candor.FormatTime(at))
	}
}

// speaksOf is the last line of an explanation: which state it is of.
func (p page) speaksOf(revision int64, at time.Time, code candor.ReasonCode) {
	fmt.Fprintf(p.w, "\n%s\n", p.s.dim(fmt.Sprintf("revision %d, %s old, code %s", revision, age(p.now, at), code)))
}

// say is a reason as a sentence, whose move it is, and the next command.
func (p page) say(r candor.Reason) {
	fmt.Fprintf(p.w, "\n%s\n%s\n", sentence(r.Text), p.move(r))
	if r.Next != "" {
		fmt.Fprintf(p.w, "%s %s\n", p.s.bold("next:"), clean(r.Next))
	}
}

// sentence ends a reason's text as one. Its first word may be a name, and stays as it is.
func sentence(text string) string {
	text = clean(text)
	if text == "" {
		return "No sentence was given."
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// move says whose move it is and since when.
func (p page) move(r candor.Reason) string {
	text := map[candor.Mover]string{
		candor.MoverYou:      "It is your move: the plan or the configuration has to change",
		candor.MoverSystem:   "It is candor's move: it will act by itself",
		candor.MoverWait:     "Nobody has to act",
		candor.MoverOperator: "It is the operator's move: something is stopped or broken",
	}[r.Mover]
	if text == "" {
		text = "Whose move it is, is not known"
	}
	if !r.Since.IsZero() {
		text += fmt.Sprintf(", since %s (%s)", age(p.now, r.Since), r.Since.UTC().Format(time.TimeOnly))
	}
	return text + "."
}

// whyServer is what a worker's time went to, and what it serves.
func (p page) whyServer(w candor.Worker) {
	if w.Serving != nil {
		p.section("Its model server")
		p.server(w.Serving)
		p.fact("loaded", loadedCell(w.Serving.Models, w.Serving.Simulated))
	}
	if share := shareFact(w); share != "" {
		p.section("Its share")
		fmt.Fprintln(p.w, "  "+share)
	}
	p.races(w.Races)
	p.account(w.Account)
}

// chain is what a blocked task waits for.
func (p page) chain(chain []candor.Task) {
	if len(chain) == 0 {
		return
	}
	p.section("It waits for")
	g := grid{indent: "  ", head: []string{"TASK", "NAME", "STATE", "WHY"}}
	for _, t := range chain {
		g.row(t.ID.String(), t.Name, taskState(t), taskWhy(t))
	}
	g.write(p.w)
}

// groups is where the tasks of a batch stand.
func (p page) groups(groups []candor.WhyGroup) {
	if len(groups) == 0 {
		return
	}
	p.section("Where its tasks stand")
	g := grid{
		indent: "  ", head: []string{"TASKS", "STATE", "STEP", "CODE", "MOVE", "FOR", "LIKE"},
		paint: p.s.stateAt(1),
	}
	for _, e := range groups {
		g.row(strconv.Itoa(e.Tasks), string(e.State), e.Step, string(e.Reason.Code), string(e.Reason.Mover), age(p.now, e.Reason.Since), e.Example.String())
	}
	g.write(p.w)
}

// workers is what each worker says to a task.
func (p page) workers(all []candor.WorkerChecks, wide bool) {
	if len(all) == 0 {
		return
	}
	title := "What the workers say"
	if slices.ContainsFunc(all, func(w candor.WorkerChecks) bool { return w.Verdict == candor.VerdictYes }) {
		title += ", as far as it is up to them" // a pause or a back-off is not
	}
	p.section(title)
	g := p.checkGrid("WORKER")
	for _, w := range all {
		p.checks(&g, w.Worker, w, wide)
	}
	g.write(p.w)
}

// queue is what a worker says to each kind of queued task.
func (p page) queue(shapes []candor.ShapeView, wide bool) {
	if len(shapes) == 0 {
		return
	}
	p.section("What is queued, and what it says to it")
	g := p.checkGrid("QUEUED")
	for _, s := range shapes {
		kind := fmt.Sprintf("%d %s (like %s)", s.Queued, cmp.Or(s.Needs, string(s.Class)), s.Example)
		p.checks(&g, kind, s.Checks, wide)
	}
	g.write(p.w)
}

func (p page) checkGrid(first string) grid {
	return grid{
		indent: "  ", head: []string{first, "SAYS", "CHECK", "WANTED", "ACTUAL"},
		paint: p.s.stateAt(1),
	}
}

// checks writes the failed checks of one worker, the worst first; with wide all.
func (p page) checks(g *grid, name string, w candor.WorkerChecks, wide bool) {
	shown := slices.DeleteFunc(slices.Clone(w.Checks), func(c candor.Check) bool { return c.OK && !wide })
	slices.SortStableFunc(shown, func(a, b candor.Check) int { return rank(a) - rank(b) })
	if len(shown) == 0 {
		g.row(name, verdictText(w.Verdict), "", "", "")
	}
	for i, c := range shown {
		says := verdictText(c.Verdict)
		if c.OK {
			says = "ok"
		}
		if i > 0 {
			name = ""
		}
		g.row(name, says, string(c.Code), c.Wanted, c.Actual)
	}
}

func rank(c candor.Check) int {
	switch {
	case c.OK:
		return 2
	case c.Verdict == candor.VerdictNever:
		return 0
	default:
		return 1
	}
}

func verdictText(v candor.Verdict) string {
	if v == candor.VerdictNotNow {
		return "not now"
	}
	return string(v)
}
