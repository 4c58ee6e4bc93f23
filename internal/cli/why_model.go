package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

// modelNamed finds a model by its name; nil: there is none.
func modelNamed(ctx context.Context, c *client.Client, name string) (*candor.ModelView, error) {
	models, err := c.Models(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(models, func(m candor.ModelView) bool { return m.Name == candor.ModelName(name) })
	if i < 0 {
		return nil, nil
	}
	return &models[i], nil
}

// whyModel answers for a model.
func (a *app) whyModel(cmd *cobra.Command, m *candor.ModelView) error {
	now := a.clk.Now()
	return writeOne(a, cmd, kind{one: "model"}, *m, modelColumns(), func(w io.Writer, wide bool) {
		page{w: w, s: a.style(w), now: now}.whyModel(*m, wide)
	})
}

// whyModel is a model, and how old what is said of it is.
func (p page) whyModel(m candor.ModelView, wide bool) {
	p.model(m, wide)
	if m.Reason != nil {
		p.speaksOf(m.Revision, m.At, m.Reason.Code)
	}
}

// model is how the workers stand to a model, and the rule by which each has no
// load ordered.
func (p page) model(m candor.ModelView, wide bool) {
	on := "loaded nowhere"
	if at := loadedOn(m); at != "-" {
		on = "loaded on " + at
	}
	p.title(m.Name, sizeCell(m.Size), on)
	if m.Reason != nil {
		p.say(*m.Reason)
		p.old(m.Revision, m.At)
		fmt.Fprintln(p.w)
	}
	p.fact("tasks", fmt.Sprintf("%d queued, %d running", m.Queued, m.Running))
	var usual []string
	for _, measured := range []struct {
		what string
		d    candor.Duration
	}{{"a load", m.Load}, {"a task", m.Run}} {
		if measured.d > 0 {
			usual = append(usual, measured.what+" "+roughly(measured.d))
		}
	}
	p.fact("usually", strings.Join(usual, ", "))
	if len(m.Workers) == 0 {
		return
	}
	p.section("What the workers say to a load")
	g := p.checkGrid("WORKER")
	for _, w := range m.Workers {
		if len(w.Checks) == 0 { // nobody waits for it, or it is there
			g.row(w.Worker, w.State, "", "", modelUse(w))
			continue
		}
		p.checks(&g, w.Worker+" ("+w.State+")", candor.WorkerChecks{Worker: w.Worker, Verdict: candor.VerdictYes, Checks: w.Checks}, wide)
	}
	g.write(p.w)
}
