package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) previewVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview PLAN",
		Short: "Show what a plan would do, and which workers could take each step",
		Long: `Asks the brain, by the code that decides, which of its workers could take each step
of PLAN. Nothing is created. Leaves with 5 if a step fits on no known worker.`,
		Example: lines("candor preview plan.yaml", "candor preview plan.yaml -i folder=docs --json"),
		Args:    exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sub, err := a.readPlan(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			p, err := c.Preview(cmd.Context(), *sub)
			if err != nil {
				return err
			}
			if err := a.showPreview(cmd, p); err != nil {
				return err
			}
			for _, s := range p.Steps {
				if s.Reason != nil {
					return &outcome{exitUnplaceable}
				}
			}
			return nil
		},
	}
	a.addInputs(cmd)
	addOutput(cmd)
	return cmd
}

func (a *app) showPreview(cmd *cobra.Command, p candor.Preview) error {
	f, err := outputOf(cmd)
	if err != nil {
		return err
	}
	if f == formatJSONL || f == formatTSV {
		return writeList(a, cmd, kind{"preview_step", "preview_steps"}, p.Steps, previewColumns())
	}
	return writeOne(a, cmd, kind{one: "preview"}, p, nil, func(w io.Writer, wide bool) {
		page{w: w, s: a.style(w), now: a.clk.Now()}.preview(p, wide)
	})
}

func previewColumns() []column[candor.PreviewStep] {
	return []column[candor.PreviewStep]{
		{title: "STEP", cell: func(s candor.PreviewStep) string { return s.Name }},
		{title: "CLASS", cell: func(s candor.PreviewStep) string { return string(s.Class) }},
		{title: "TASKS", cell: previewTasks},
		{title: "AFTER", cell: func(s candor.PreviewStep) string { return orDash(needsText(s.Needs)) }},
		{title: "TAKEN BY", cell: takers},
	}
}

func previewTasks(s candor.PreviewStep) string {
	if s.Tasks < 0 {
		return "by a manifest"
	}
	return fmt.Sprint(s.Tasks)
}

func takers(s candor.PreviewStep) string {
	var names []string
	for _, w := range s.Workers {
		switch w.Verdict {
		case candor.VerdictYes:
			names = append(names, w.Worker)
		case candor.VerdictNotNow:
			names = append(names, w.Worker+" (not now)")
		case candor.VerdictNever:
		}
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

func (p page) preview(v candor.Preview, wide bool) {
	g := grid{}
	for _, c := range previewColumns() {
		g.head = append(g.head, c.title)
	}
	for _, s := range v.Steps {
		g.row(cells(s, previewColumns())...)
	}
	g.write(p.w)
	fmt.Fprintf(p.w, "\n%s known now\n", plural(v.Tasks, "task"))
	for _, s := range v.Steps {
		if s.Reason == nil && !wide {
			continue
		}
		p.section(s.Name)
		if s.Reason != nil {
			p.reason(*s.Reason)
		}
		p.workers(s.Workers, wide)
	}
}
