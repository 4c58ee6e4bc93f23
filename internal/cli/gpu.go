package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"candor"
)

func (a *app) gpuVerb() *cobra.Command {
	return parent(&cobra.Command{
		Use:     "gpu",
		Short:   "See the cards of the workers",
		Example: lines("candor gpu ls", "candor gpu ls -o wide"),
	}, a.gpuLsVerb())
}

func (a *app) gpuLsVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the workers' cards: memory, heat, load, who else is on them",
		Long: `Lists the card of each worker, as the worker last read it: memory in use, temperature,
utilisation, power, processes that are not the worker's, and the models on it. What a
card does not tell is "-". -o wide adds UUIDs and each process.`,
		Example: lines("candor gpu ls", "candor gpu ls -o wide", "candor gpu ls --json | jq '.gpus[] | select(.temperature_c > 80)'"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client(cmd)
			if err != nil {
				return err
			}
			workers, err := c.Workers(cmd.Context())
			if err != nil {
				return err
			}
			cards := cardsOf(workers)
			if len(cards) == 0 {
				a.talk("no worker has a card; candor doctor says what this machine has")
			}
			return writeList(a, cmd, kind{"gpu", "gpus"}, cards, cardColumns())
		},
	}
	addOutput(cmd)
	return cmd
}

// cardView is a card with the worker that works with it.
type cardView struct {
	Worker string             `json:"worker"`
	State  candor.WorkerState `json:"worker_state"`
	candor.GPU
	Loaded    []candor.ServedModel `json:"loaded"`
	Simulated bool                 `json:"simulated,omitempty"` // so is what is loaded
}

// cardsOf are the cards of the workers that are there, as they last reported.
func cardsOf(workers []candor.Worker) []cardView {
	cards := []cardView{}
	for _, w := range workers {
		card := cardOf(w)
		if card == nil || w.State == candor.WorkerGone {
			continue
		}
		v := cardView{Worker: w.Name, State: w.State, GPU: *card, Loaded: []candor.ServedModel{}}
		if s := w.Serving; s != nil {
			v.Loaded, v.Simulated = append(v.Loaded, s.Models...), s.Simulated
		}
		cards = append(cards, v)
	}
	return cards
}

// cardOf is a worker's card as it last reported it, or as it was at the start.
func cardOf(w candor.Worker) *candor.GPU {
	if w.Card != nil {
		return w.Card
	}
	return w.GPU
}

func cardColumns() []column[cardView] {
	return []column[cardView]{
		{title: "WORKER", cell: func(v cardView) string { return v.Worker }},
		{title: "GPU", cell: func(v cardView) string { return fmt.Sprint(v.Index) }},
		{title: "NAME", cell: func(v cardView) string { return v.Name }},
		{title: "UUID", wide: true, cell: func(v cardView) string { return orDash(v.UUID) }},
		{title: "VRAM", cell: func(v cardView) string { return fmt.Sprintf("%s of %s", v.Total-v.Free, v.Total) }},
		{title: "HEAT", cell: func(v cardView) string { return heatCell(v.GPU) }},
		{title: "BUSY", cell: func(v cardView) string { return busyCell(v.GPU) }},
		{title: "POWER", cell: func(v cardView) string { return powerCell(v.GPU) }},
		{title: "OTHERS", cell: func(v cardView) string { return othersCell(v.Others) }},
		{title: "PROCESSES", wide: true, cell: func(v cardView) string { return orDash(processesText(v.Others)) }},
		{title: "LOADED", cell: func(v cardView) string { return loadedCell(v.Loaded, v.Simulated) }},
	}
}

func heatCell(g candor.GPU) string {
	if g.Temperature == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f °C", g.Temperature)
}

// busyCell is a card's utilisation. A card that says nothing of itself is not
// taken for an idle one.
func busyCell(g candor.GPU) string {
	if g.Utilisation == 0 && g.Temperature == 0 && g.Power == 0 {
		return "-"
	}
	return percentText(g.Utilisation)
}

func powerCell(g candor.GPU) string {
	if g.Power == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f W", g.Power)
}

// othersCell counts the processes that are not the worker's, and what they hold.
func othersCell(others []candor.GPUProcess) string {
	if len(others) == 0 {
		return "-"
	}
	var held candor.Bytes
	for _, p := range others {
		held += p.VRAM
	}
	return fmt.Sprintf("%d (%s)", len(others), held)
}

func processesText(others []candor.GPUProcess) string {
	var parts []string
	for _, p := range others {
		text := fmt.Sprintf("pid %d", p.PID)
		if p.Name != "" {
			text = p.Name + ", " + text
		}
		if p.VRAM > 0 {
			text += ", " + p.VRAM.String()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// loadedCell names what a server has in memory; what has not answered yet, or is
// in doubt, is marked, and what is simulated says so.
func loadedCell(models []candor.ServedModel, simulated bool) string {
	var parts []string
	for _, m := range models {
		var notes []string
		if simulated {
			notes = append(notes, "simulated")
		}
		if !m.Ready {
			notes = append(notes, "not ready")
		}
		parts = append(parts, withNotes(m.Name, notes))
	}
	return orDash(strings.Join(parts, ", "))
}

// withNotes is a name with what is to be said of it in brackets.
func withNotes(name string, notes []string) string {
	if len(notes) == 0 {
		return name
	}
	return name + " (" + strings.Join(notes, ", ") + ")"
}

func percentText(part float64) string { return fmt.Sprintf("%.0f%%", 100*part) }
