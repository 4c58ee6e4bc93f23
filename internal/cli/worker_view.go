package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) workerLsVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the workers with what they do, or why they are idle",
		Example: lines("candor worker ls", "candor worker ls -o wide", "candor worker ls --json"),
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
			return writeList(a, cmd, kind{"worker", "workers"}, workers, workerColumns(a.clk.Now()))
		},
	}
	addOutput(cmd)
	return cmd
}

func workerColumns(now time.Time) []column[candor.Worker] {
	return []column[candor.Worker]{
		{title: "WORKER", cell: func(w candor.Worker) string { return w.Name }},
		{title: "STATE", state: true, cell: workerState},
		{title: "CLASSES", cell: func(w candor.Worker) string { return join(w.Classes) }},
		{title: "BUSY", cell: func(w candor.Worker) string { return fmt.Sprintf("%d/%d", len(w.Running), w.Slots) }},
		{title: "DONE", cell: func(w candor.Worker) string { return fmt.Sprint(w.Completed) }},
		{title: "FAILED", cell: func(w candor.Worker) string { return fmt.Sprint(w.Failed) }},
		{title: "SEEN", cell: func(w candor.Worker) string { return age(now, w.SeenAt) }, tsv: func(w candor.Worker) string { return stamp(w.SeenAt) }},
		{title: "LOADED", cell: workerLoaded},
		{title: "HOST", wide: true, cell: func(w candor.Worker) string { return orDash(w.Host) }},
		{title: "PID", wide: true, cell: func(w candor.Worker) string { return fmt.Sprint(w.PID) }},
		{title: "GPU", wide: true, cell: func(w candor.Worker) string { return gpuText(cardOf(w)) }},
		{title: "SERVER", wide: true, cell: func(w candor.Worker) string { return serverText(w.Serving) }},
		{title: "SHARE", wide: true, cell: func(w candor.Worker) string { return shareText(w.Share) }},
		{title: "LABELS", wide: true, cell: func(w candor.Worker) string { return orDash(strings.Join(w.Labels, ",")) }},
		{title: "WHAT", cell: func(w candor.Worker) string { return workerDoing(w, now) }},
	}
}

func workerState(w candor.Worker) string {
	switch {
	case w.Draining && w.State != candor.WorkerGone && w.State != candor.WorkerLost:
		return "draining"
	case w.Paused != nil:
		return string(candor.WorkerPaused)
	default:
		return string(w.State)
	}
}

func workerLoaded(w candor.Worker) string {
	if w.Serving == nil {
		return "-"
	}
	return loadedCell(w.Serving.Models, w.Serving.Simulated)
}

// workerDoing is what runs, or why nothing does.
func workerDoing(w candor.Worker, now time.Time) string {
	switch {
	case len(w.Running) > 0:
		var parts []string
		for _, r := range w.Running {
			parts = append(parts, r.Name+" "+age(now, r.Since))
		}
		return strings.Join(parts, ", ")
	case w.Reason != nil:
		return w.Reason.Text
	default:
		return w.Doing
	}
}

// doingText is what a worker last said of itself. Of a task that has ended
// since then it still says that it runs: the leases know better.
func doingText(w candor.Worker, now time.Time) string {
	if w.Doing == "" || len(w.Running) == 0 && strings.HasPrefix(w.Doing, "running ") {
		return ""
	}
	return fmt.Sprintf("%s, since %s", w.Doing, age(now, w.DoingAt))
}

func gpuText(g *candor.GPU) string {
	if g == nil {
		return "-"
	}
	return fmt.Sprintf("%s, %s of %s free", g.Name, g.Free, g.Total)
}

func workerNamed(ctx context.Context, c *client.Client, name string) (candor.Worker, error) {
	workers, err := c.Workers(ctx)
	if err != nil {
		return candor.Worker{}, err
	}
	var names []string
	for _, w := range workers {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	if begin := beginning(name, names); len(begin) == 1 && name != "" {
		return workers[slices.Index(names, begin[0])], nil
	}
	e := &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no worker is named %q", name), Hint: "candor worker ls lists them"}
	if near := candor.Nearest(name, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return candor.Worker{}, e
}

// toolsText is the usual programs that a worker has, and of how many.
func toolsText(w candor.Worker) string {
	text := strings.Join(w.Tools, ", ")
	if w.Programs > len(w.Tools) {
		text += fmt.Sprintf(" (of %d programs on its PATH)", w.Programs)
	}
	return strings.TrimSpace(text)
}

func (p page) worker(w candor.Worker) {
	p.title(w.Name, join(w.Classes), workerState(w))
	p.fact("host", fmt.Sprintf("%s, pid %d", w.Host, w.PID))
	p.card(w)
	p.server(w.Serving)
	p.fact("labels", strings.Join(w.Labels, ", "))
	p.fact("tools", toolsText(w))
	p.fact("joined", p.when(w.JoinedAt))
	p.fact("heartbeat", p.when(w.SeenAt))
	p.fact("asked", p.when(w.AskedAt))
	p.fact("tasks", fmt.Sprintf("%d complete, %d failed since it joined", w.Completed, w.Failed))
	p.fact("share", shareFact(w))
	p.fact("doing", doingText(w, p.now))
	if w.Paused != nil {
		p.fact("paused", pauseText(*w.Paused, p.now))
	}
	if w.Drained != nil {
		p.fact("drained", pauseText(*w.Drained, p.now))
	}
	if len(w.Running) > 0 {
		p.section(fmt.Sprintf("Running (%d of %d slots)", len(w.Running), w.Slots))
		for _, r := range w.Running {
			text := ""
			if r.Progress != nil {
				text = progressText(*r.Progress)
			}
			fmt.Fprintf(p.w, "  %s  %s  attempt %d, %s  %s\n", r.Task, clean(r.Name), r.Attempt, age(p.now, r.Since), clean(text))
		}
	}
	if w.Reason != nil && len(w.Running) == 0 {
		p.reason(*w.Reason)
	}
	p.loaded(w.Serving)
	p.races(w.Races)
	p.account(w.Account)
}

// shareFact is what a worker did of what all did, beside what it would be if all
// slots did the same.
func shareFact(w candor.Worker) string {
	if w.Share == 0 && (w.Races == nil || w.Races.Lost == 0) {
		return ""
	}
	text := percentText(w.Share) + " of what the farm has completed lately"
	if w.EvenShare > 0 {
		text += "; its slots are " + percentText(w.EvenShare) + " of all"
	}
	return text
}
