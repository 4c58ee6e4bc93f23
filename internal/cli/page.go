package cli

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"candor"
)

// page is where one thing is shown at length.
type page struct {
	w   io.Writer
	s   style
	now time.Time
}

// title is the first line: what it is and how it stands.
func (p page) title(id, name, state string) {
	fmt.Fprintf(p.w, "%s  %s  %s\n", p.s.bold(id), clean(name), p.s.state(state))
}

// fact is one line of what is known; empty values are left out.
func (p page) fact(label, text string) {
	if text != "" {
		fmt.Fprintf(p.w, "  %s %s\n", p.s.dim(fmt.Sprintf("%-10s", label)), clean(text))
	}
}

func (p page) section(title string) { fmt.Fprintf(p.w, "\n%s\n", p.s.bold(title)) }

func (p page) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return candor.FormatTime(t) + " (" + age(p.now, t) + " ago)"
}

func (p page) batch(b batchReport) {
	p.title(b.ID.String(), b.Name, batchState(b.Batch))
	p.fact("tasks", countsText(b.Total, b.Counts))
	p.fact("plan", b.PlanFile)
	p.fact("key", b.Key)
	if in := string(b.Inputs); in != "{}" && in != "null" {
		p.fact("inputs", in)
	}
	p.fact("created", p.when(b.CreatedAt))
	p.fact("finished", p.when(b.FinishedAt))
	p.fact("expires", stampOrNothing(b.ExpiresAt))
	p.fact("outputs", b.Dir)
	if b.Paused != nil {
		p.fact("paused", pauseText(*b.Paused, p.now))
	}
	p.steps(b.Steps)
	p.taskList("Stuck", b.Stuck, len(b.Stuck))
	p.taskList("Failed", b.Failed, b.Counts[candor.TaskFailed])
}

func (p page) steps(steps []candor.StepView) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintln(p.w)
	g := grid{indent: "  ", head: []string{"STEP", "CLASS", "DONE", "RUNS", "QUEUED", "BLOCKED", "FAILED", "CANCELLED", "AFTER"}}
	for _, s := range steps {
		done := fmt.Sprintf("%d/%d", s.Counts[candor.TaskComplete], s.Total)
		if !s.Expanded {
			done = "items not known yet"
		} else if s.FansOut && s.Total == 0 {
			done = "0 items"
		}
		row := []string{s.Name, string(s.Class), done}
		for _, state := range []candor.TaskState{candor.TaskProcessing, candor.TaskQueued, candor.TaskBlocked, candor.TaskFailed, candor.TaskCancelled} {
			row = append(row, countCell(s.Counts[state]))
		}
		g.row(append(row, needsText(s.Needs))...)
	}
	g.write(p.w)
	for _, s := range steps {
		if s.Flag != nil {
			fmt.Fprintf(p.w, "  %s %s\n", p.s.yellow("look:"), sentence(s.Flag.Text))
		}
	}
}

func countCell(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func needsText(needs []candor.Need) string {
	var parts []string
	for _, n := range needs {
		text := n.Step
		if n.Each {
			text += " (item by item)"
		}
		if n.AllowFailed {
			text += " (may fail)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// taskList names tasks with their reasons and how to look closer.
func (p page) taskList(title string, tasks []candor.Task, all int) {
	if len(tasks) == 0 {
		return
	}
	p.section(title)
	for _, t := range tasks {
		fmt.Fprintf(p.w, "  %s  %s  %s\n", p.s.red(t.ID.String()), clean(t.Name), clean(taskWhy(t)))
	}
	if all > len(tasks) {
		fmt.Fprintf(p.w, "  and %d more: candor ls %s --status %s\n", all-len(tasks), tasks[0].Batch, tasks[0].State)
	}
	if last := tasks[0].Last; last != nil && last.Tail != "" {
		fmt.Fprintf(p.w, "  %s\n", p.s.dim(clean(tasks[0].Name)+" printed at last:"))
		p.quote(last.Tail, tailShown)
	}
	look := "candor logs " + tasks[0].ID.String()
	if r := tasks[0].Reason; r != nil && r.Next != "" {
		look = r.Next
	}
	fmt.Fprintf(p.w, "  %s %s\n", p.s.dim("look:"), clean(look))
}

// tailShown is how many lines of a failed task are shown beside other things.
const tailShown = 8

// quote writes the last lines of what a task printed.
func (p page) quote(text string, most int) {
	lines := strings.Split(strings.TrimRight(cleanLines(text), "\n"), "\n")
	for _, line := range lines[max(0, len(lines)-most):] {
		fmt.Fprintf(p.w, "  | %s\n", line)
	}
}

// itemShown is how many characters of an item are shown: a chunk is a list of rows.
const itemShown = 200

func (p page) task(t taskReport) {
	p.title(t.ID.String(), t.Name, taskState(t.Task))
	p.fact("batch", t.Batch.String())
	p.fact("class", string(t.Class))
	p.fact("model", t.Model)
	p.fact("item", cut(string(t.Item), itemShown))
	p.fact("try", triesText(t.Task))
	p.fact("worker", t.Worker)
	p.fact("created", p.when(t.CreatedAt))
	p.fact("started", p.when(t.StartedAt))
	p.fact("finished", p.when(t.FinishedAt))
	if t.Progress != nil {
		p.fact("progress", progressText(*t.Progress))
		p.fact("last moved", strings.TrimSpace(p.when(t.Progress.At)+" "+t.Progress.Kind))
	}
	p.fact("ending", t.Aborting)
	p.results(t.Attempts)
	if t.Reason != nil && t.State != candor.TaskComplete {
		p.reason(*t.Reason)
	}
	p.attempts(t.Attempts)
}

// reason is a reason as prose, with the next command.
func (p page) reason(r candor.Reason) {
	fmt.Fprintf(p.w, "\n  %s\n", clean(r.Text))
	if r.Next != "" {
		fmt.Fprintf(p.w, "  %s %s\n", p.s.dim("next:"), clean(r.Next))
	}
}

func (p page) attempts(attempts []candor.Attempt) {
	if len(attempts) == 0 {
		return
	}
	p.section("Attempts")
	g := grid{indent: "  ", head: []string{"#", "WORKER", "OUTCOME", "TOOK", "EXIT", "CPU", "MEMORY", "WHY"}}
	for _, at := range attempts {
		took, why := "-", ""
		if !at.FinishedAt.IsZero() && !at.StartedAt.IsZero() {
			took = candor.ShortDuration(at.FinishedAt.Sub(at.StartedAt))
		}
		if at.Reason != nil {
			why = at.Reason.Text
		}
		exit, cpu, memory := exitCells(at.Exit)
		g.row(fmt.Sprint(at.Number), orDash(at.Worker), string(at.Outcome), took, exit, cpu, memory, why)
	}
	g.write(p.w)
	last := attempts[len(attempts)-1]
	p.tail(last)
}

func exitCells(e *candor.Exit) (exit, cpu, memory string) {
	if e == nil {
		return "-", "-", "-"
	}
	exit = fmt.Sprint(e.Code)
	if e.Signal != "" {
		exit = "signal: " + e.Signal
	}
	if e.OOM != "" {
		exit += ", out of memory"
	}
	return exit, e.CPU.String(), e.MaxRSS.String()
}

func (p page) tail(at candor.Attempt) {
	if at.Tail == "" {
		return
	}
	p.section(fmt.Sprintf("The end of what attempt %d printed", at.Number))
	p.quote(at.Tail, math.MaxInt)
	if at.Dir != "" {
		fmt.Fprintf(p.w, "  %s %s\n", p.s.dim("directory:"), clean(at.Dir))
	}
}

// countsText writes counts in the order of a task's life: 120 of 125 complete, 3 processing.
func countsText(total int, counts map[candor.TaskState]int) string {
	parts := []string{fmt.Sprintf("%d of %d complete", counts[candor.TaskComplete], total)}
	for _, s := range candor.TaskStates() {
		if n := counts[s]; n > 0 && s != candor.TaskComplete {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

func pauseText(p candor.Pause, now time.Time) string {
	text := "since " + age(now, p.At)
	if p.By != "" {
		text = "by " + p.By + " " + text
	}
	if p.Why != "" {
		text += ": " + p.Why
	}
	return text
}

func stampOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return candor.FormatTime(t)
}

// sortedCounts writes a map of counts by name: cpu 3, llm 125.
func sortedCounts[K ~string](counts map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if counts[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
		}
	}
	return strings.Join(parts, ", ")
}
