package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"candor"
)

// demoScreen draws an act: in place on a terminal, as a line for each change
// elsewhere.
type demoScreen struct {
	w     io.Writer
	s     style
	width int // of the terminal; 0: none
	drawn int // lines of the last picture
	last  string
	why   bool // it was told
	begun time.Time
	now   func() time.Time
}

func newDemoScreen(a *app, number int, rule demoRule) *demoScreen {
	width, _ := terminal(a.Out)
	d := &demoScreen{w: a.Out, s: a.style(a.Out), width: width, begun: a.clk.Now(), now: a.clk.Now}
	fmt.Fprintf(d.w, "\n%s  %s\n", d.s.bold(fmt.Sprintf("%d. %s:", number, rule.name)), rule.told)
	return d
}

// picture shows how the batch and the workers stand.
func (d *demoScreen) picture(b candor.Batch, workers []candor.Worker, why string) {
	lines := []string{d.progress(b)}
	for i := range workers {
		lines = append(lines, d.worker(&workers[i]))
	}
	if d.width == 0 {
		d.told(lines, b.State, workers, why)
		return
	}
	if why != "" {
		lines = append(lines, folded("  "+why, d.width-1)...)
	}
	if d.drawn > 0 {
		fmt.Fprintf(d.w, "\x1b[%dA", d.drawn)
	}
	for _, l := range lines {
		fmt.Fprintf(d.w, "\r\x1b[K%s\n", l)
	}
	d.drawn = max(d.drawn, len(lines))
	for range d.drawn - len(lines) {
		fmt.Fprint(d.w, "\r\x1b[K\n")
	}
}

// told writes what has changed, where nothing can be drawn in place: what the
// workers do, and that the batch has ended, of which they may have known before.
func (d *demoScreen) told(lines []string, state candor.BatchState, workers []candor.Worker, why string) {
	var states []string
	for i := range workers {
		states = append(states, workers[i].Name+" "+demoState(&workers[i]))
	}
	now := strings.Join(states, ", ")
	if picture := string(state) + " " + now; picture != d.last {
		d.last = picture
		fmt.Fprintf(d.w, "%s; %s\n", lines[0], now)
	}
	if why != "" && !d.why {
		d.why = true
		fmt.Fprintln(d.w, "  "+why)
	}
}

// end leaves the last picture standing.
func (d *demoScreen) end() {
	if d.width == 0 {
		fmt.Fprintf(d.w, "  ended after %s\n", candor.ShortDuration(d.now().Sub(d.begun).Truncate(100*time.Millisecond)))
	}
}

func (d *demoScreen) progress(b candor.Batch) string {
	done := b.Counts[candor.TaskComplete]
	return fmt.Sprintf("  %s %3d of %d prompts answered", bar(done, b.Total, 30), done, b.Total)
}

// bar is a share as a picture.
func bar(n, of, width int) string {
	full := 0
	if of > 0 {
		full = n * width / of
	}
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", width-full) + "]"
}

func (d *demoScreen) worker(w *candor.Worker) string {
	word := demoState(w)
	painted := word + strings.Repeat(" ", max(0, 34-len(word)))
	switch {
	case len(w.Running) > 0 && w.State == candor.WorkerHot:
		painted = d.s.green(painted)
	case w.State == candor.WorkerCold:
		painted = d.s.red(painted)
	case w.State == candor.WorkerLoading:
		painted = d.s.yellow(painted)
	}
	return fmt.Sprintf("  %-6s %s %s %3d answered", w.Name, d.s.dim("simulated"), painted, w.Completed-demoOrders(w))
}

// demoOrders are the completed tasks of a worker that were loads.
func demoOrders(w *candor.Worker) int {
	if w.State == candor.WorkerHot && w.Completed > 0 {
		return 1
	}
	return 0
}

// demoState is what a worker does, in a few words.
func demoState(w *candor.Worker) string {
	switch {
	case w.State == candor.WorkerLoading:
		return "loads " + demoModel
	case w.State == candor.WorkerHot && len(w.Running) > 0:
		return "answers with " + demoModel
	case w.State == candor.WorkerHot:
		return "has " + demoModel + ", nothing to do"
	case w.State == candor.WorkerCold:
		return "IDLE: has no model"
	}
	return string(w.State)
}

// folded breaks a text into lines of a width, at blanks.
func folded(text string, width int) []string {
	var out []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width-2 {
			out = append(out, "  "+line)
			line = ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return append(out, "  "+line)
}

// demoClosing compares the acts: how long each took, and where the time of each
// card went.
func demoClosing(w io.Writer, s style, acts []actResult) {
	fmt.Fprintf(w, "\n%s\n\n", s.bold("What it came to")+" (simulated cards; every second of each belongs to exactly one reason)")
	for _, a := range acts {
		fmt.Fprintf(w, "  %-14s %6s   %s\n", a.rule.name, candor.ShortDuration(a.took.Truncate(100*time.Millisecond)), s.dim(a.rule.told))
		for i := range a.workers {
			fmt.Fprintf(w, "    %-6s %s\n", a.workers[i].Name, accountLine(a.workers[i].Account))
		}
	}
	if len(acts) == 2 && acts[0].took > 0 {
		fmt.Fprintf(w, "\n  The old rule took %s as long. Two cards were idle all the while, and candor says why:\n",
			s.bold(fmt.Sprintf("%.1f times", acts[1].took.Seconds()/acts[0].took.Seconds())))
		for _, l := range folded(acts[1].why, 92) {
			fmt.Fprintln(w, "  "+l)
		}
		fmt.Fprintf(w, "\n  With a model server of your own:  %s   and then:  %s\n", s.bold("candor up"), s.bold("candor submit PLAN"))
	}
}

// accountLine is where a worker's time went, the largest part first.
func accountLine(a *candor.Account) string {
	if a == nil || len(a.Sums) == 0 {
		return "no account"
	}
	var total time.Duration
	var codes []candor.ReasonCode
	for code, d := range a.Sums {
		total += d.D()
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(x, y candor.ReasonCode) int {
		if a.Sums[x] != a.Sums[y] {
			return int(a.Sums[y] - a.Sums[x])
		}
		return strings.Compare(string(x), string(y))
	})
	var parts []string
	for _, code := range codes {
		if share := 100 * a.Sums[code].D().Seconds() / total.Seconds(); share >= 0.5 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", code, share))
		}
	}
	return strings.Join(parts, ", ")
}
