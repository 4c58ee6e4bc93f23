package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) modelVerb() *cobra.Command {
	return parent(&cobra.Command{
		Use:   "model",
		Short: "See what models there are, load them, let them go, fetch them",
		Long: `candor loads models where tasks wait for them, by itself. These commands show what is
where, and give orders of your own: each is a task of class resource, which a worker
claims and carries out.`,
		Example: lines("candor model ls", "candor model load qwen2.5:7b --worker gpu-0", "candor model unload qwen2.5:7b"),
	}, a.modelLsVerb(), a.modelLoadVerb(), a.modelUnloadVerb(), a.modelPullVerb())
}

func (a *app) modelLsVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the models that are wanted, loaded or could be",
		Long: `Lists each model that a task waits for, or that a worker has on its disk or in memory.
LOAD is what a load usually takes, measured. -o wide says how each worker stands to
it: ready (it has answered), listed (in memory, no answer yet), loading, unloading,
ordered, available (on its disk), missing; in brackets the rule by which no load was
ordered there. --json has every rule that was asked, with what it saw.`,
		Example: lines("candor model ls", "candor model ls -o wide", "candor model ls --json | jq '.models[] | select(.queued > 0)'"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			models, err := c.Models(cmd.Context())
			if err != nil {
				return err
			}
			return writeList(a, cmd, kind{"model", "models"}, models, modelColumns())
		},
	}
	addOutput(cmd)
	return cmd
}

func modelColumns() []column[candor.ModelView] {
	return []column[candor.ModelView]{
		{title: "MODEL", cell: func(m candor.ModelView) string { return m.Name }},
		{title: "SIZE", cell: func(m candor.ModelView) string { return sizeCell(m.Size) }},
		{title: "QUEUED", cell: func(m candor.ModelView) string { return strconv.Itoa(m.Queued) }},
		{title: "RUNS", cell: func(m candor.ModelView) string { return strconv.Itoa(m.Running) }},
		{title: "LOAD", cell: func(m candor.ModelView) string { return usualCell(m.Load) }},
		{title: "TASK", wide: true, cell: func(m candor.ModelView) string { return usualCell(m.Run) }},
		{title: "VRAM", wide: true, cell: func(m candor.ModelView) string { return sizeCell(m.VRAM) }},
		{title: "LOADED ON", cell: loadedOn},
		{title: "WORKERS", wide: true, cell: modelWorkers},
	}
}

func sizeCell(b candor.Bytes) string {
	if b == 0 {
		return "-"
	}
	return b.String()
}

// usualCell is a measured time, rounded; "-" before the first measure.
func usualCell(d candor.Duration) string {
	if d == 0 {
		return "-"
	}
	return candor.ShortDuration(d.D())
}

// loadedOn names the workers that have a model in memory, or soon will.
func loadedOn(m candor.ModelView) string {
	var parts []string
	for _, w := range m.Workers {
		switch w.State {
		case "ready":
			parts = append(parts, w.Worker)
		case "listed", "loading", "unloading", "ordered":
			parts = append(parts, w.Worker+" ("+w.State+")")
		}
	}
	return orDash(strings.Join(parts, ", "))
}

// modelWorkers is how each worker stands to a model.
func modelWorkers(m candor.ModelView) string {
	var parts []string
	for _, w := range m.Workers {
		text := w.Worker + " " + w.State
		if use := modelUse(w); use != "" {
			text += ", " + use
		}
		if no := firstNo(w.Checks); no != nil {
			text += fmt.Sprintf(" [%s: %s]", no.Code, no.Actual)
		}
		parts = append(parts, text)
	}
	return orDash(strings.Join(parts, "; "))
}

// modelUse is what a worker does with a model.
func modelUse(w candor.ModelWorker) string {
	var parts []string
	if w.InUse > 0 {
		parts = append(parts, fmt.Sprintf("%d in use", w.InUse))
	}
	if w.Rate > 0 {
		parts = append(parts, rateText(w.Rate)+" tokens/s")
	}
	return strings.Join(parts, ", ")
}

// rateText is tokens per second with the digits that mean something.
func rateText(r float64) string {
	if r < 10 {
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return strconv.FormatFloat(r, 'f', 0, 64)
}

// firstNo is the check by which a worker was left out; nil: there is none.
func firstNo(checks []candor.Check) *candor.Check {
	for i := range checks {
		if !checks[i].OK {
			return &checks[i]
		}
	}
	return nil
}
