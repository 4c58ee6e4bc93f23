package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

func orderShape() kind { return kind{"order", "orders"} }

// orderReport is an order with what became of it.
type orderReport struct {
	candor.Ordered
	State  candor.TaskState    `json:"state,omitempty"`  // of its task
	RanOn  string              `json:"ran_on,omitempty"` // the worker that took it
	Result *candor.OrderResult `json:"result,omitempty"`
	Reason *candor.Reason      `json:"reason,omitempty"` // why it is where it is, if not complete
}

func endedOrders(reports []orderReport) error {
	var worst error
	for _, r := range reports {
		switch err := endedTask(r.State); {
		case r.State == candor.TaskFailed:
			return err
		case err != nil:
			worst = err
		}
	}
	return worst
}

func (a *app) showOrders(cmd *cobra.Command, kind candor.OrderKind, reports []orderReport) error {
	columns := []column[orderReport]{
		{title: "TASK", cell: func(r orderReport) string { return idOrDash(r.Task != 0, r.Task) }},
		{title: "WORKER", cell: func(r orderReport) string { return orDash(r.worker()) }},
		{title: "STATE", state: true, cell: func(r orderReport) string { return orDash(string(r.State)) }},
		{title: "BEFORE", cell: func(r orderReport) string { return r.memory(true) }},
		{title: "AFTER", cell: func(r orderReport) string { return r.memory(false) }},
		{title: "WHAT", cell: orderReport.what},
	}
	if f, err := outputOf(cmd); err != nil || f != formatTable {
		return writeList(a, cmd, orderShape(), reports, columns)
	}
	p := page{w: a.Out, s: a.style(a.Out), now: a.clk.Now()}
	for _, r := range reports {
		fmt.Fprintln(p.w, clean(r.what()))
		p.orderResult(kind, r)
		if r.State == candor.TaskFailed {
			p.fact("look", "candor show "+r.Task.String())
		}
	}
	return nil
}

func (r orderReport) worker() string {
	if r.RanOn != "" {
		return r.RanOn
	}
	return r.Worker
}

// what is an order in one sentence: how it ended, or what was made of the wish.
func (r orderReport) what() string {
	switch {
	case r.State == "" && r.Task != 0 && !r.Already:
		return r.Text + " as " + r.Task.String()
	case r.State == "":
		return r.Text
	}
	text := r.Text + ": " + string(r.State)
	if r.RanOn != "" && r.RanOn != r.Worker {
		text += " on " + r.RanOn
	}
	if r.Result != nil && r.State == candor.TaskComplete {
		text += " in " + candor.ShortDuration(r.Result.Took.D())
	}
	if r.Reason != nil {
		text += ": " + r.Reason.Text
	}
	return text
}

func (r orderReport) memory(before bool) string {
	switch {
	case r.Result == nil:
		return "-"
	case before:
		return servedNames(r.Result.Before)
	default:
		return servedNames(r.Result.After)
	}
}

// servedNames is what is in a server's memory, in words.
func servedNames(models []candor.ServedModel) string {
	var parts []string
	for _, m := range models {
		text := m.Name
		if m.Size > 0 {
			text += " (" + onCard(m) + ")"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// onCard is how large a model is, and how much of it is not on the card.
func onCard(m candor.ServedModel) string {
	if m.VRAM < m.Size {
		return fmt.Sprintf("%s, %s of it on the card", m.Size, m.VRAM)
	}
	return m.Size.String()
}

// orderResult is what an order changed.
func (p page) orderResult(kind candor.OrderKind, report orderReport) {
	r := report.Result
	switch {
	case r == nil:
	case kind == candor.OrderPull && !r.Changed && report.State == candor.TaskComplete:
		p.fact("change", "none: it was there in this version already")
	case kind != candor.OrderPull:
		p.fact("before", servedNames(r.Before))
		p.fact("after", servedNames(r.After))
		p.fact("pushed out", strings.Join(r.Evicted, ", "))
	}
}
