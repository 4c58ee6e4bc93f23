package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// modelReason is the one current reason of a model: who wants it, where it
// stands, and what the workers without it say to a load. It is the reason that
// most of those give.
func (l *look) modelReason(name string) *candor.Reason {
	d := l.demand(name)
	if d == nil {
		if n := l.s.runningOn(name); n > 0 {
			return candor.NewReason(candor.ReasonRunning, fmt.Sprintf("%s with %s, and none waits for it", plural(n, "task runs", "tasks run"), name))
		}
		return candor.NewReason(candor.ReasonIdleNoWork, "nobody wants "+name+": no task that is queued or runs asks for it")
	}
	text := fmt.Sprintf("%s for %s: ", plural(d.queued, "task waits", "tasks wait"), name)
	if never := l.s.unplaceable(*d.want); never != nil {
		never.Text = text + never.Text
		return l.wantedSince(d, never)
	}
	on := d.at(name)
	if len(on) == 0 {
		text += "it is loaded nowhere"
	} else {
		text += "it is loaded on " + strings.Join(on, ", ")
	}
	said, why := &saying{}, map[string]*candor.Reason{}
	many := map[candor.ReasonCode]int{}
	for _, w := range l.s.roster {
		if w.state == candor.WorkerGone {
			continue
		}
		if r := l.whyNot(d, w); r != nil {
			said.add(w.info.Name, r.Text)
			why[r.Text] = r
			many[r.Code]++
		}
	}
	slices.SortStableFunc(said.texts, func(a, b string) int { return many[why[b].Code] - many[why[a].Code] })
	switch {
	case len(said.texts) > 0:
		top := why[said.texts[0]]
		out := candor.NewReason(top.Code, text+"; "+said.String()).Do(top.Next)
		out.Mover = top.Mover
		return l.wantedSince(d, out)
	case len(on) > 0:
		return l.wantedSince(d, candor.NewReason(candor.ReasonBusy, text+", and nobody else could load it"))
	default:
		return l.wantedSince(d, candor.NewReason(candor.ReasonModelCold, text+", and no worker has a model server of candor's"))
	}
}

// at are the workers on which a model is ready.
func (d *demand) at(name string) []string {
	var names []string
	for _, w := range d.owners {
		if v := w.view.Serving; v != nil && slices.ContainsFunc(v.Models, func(m candor.ServedModel) bool { return m.Ready && candor.ModelName(m.Name) == name }) {
			names = append(names, w.info.Name)
		}
	}
	return names
}

func (l *look) wantedSince(d *demand, r *candor.Reason) *candor.Reason {
	r.With("queued", d.queued).With("running", d.running)
	if d.oldest > 0 {
		r.Since = fromMicro(d.oldest)
	}
	return r
}

// runningOn counts the llm tasks that run with a model.
func (s *State) runningOn(name string) int {
	n := 0
	for _, w := range s.roster {
		for _, t := range w.running {
			if t.step.spec.Class == candor.ClassLLM && candor.ModelName(t.step.spec.Model) == name {
				n++
			}
		}
	}
	return n
}

// plural counts with a phrase whose verb has a number too: 1 task waits.
func plural(n int, one, many string) string {
	return fmt.Sprintf("%d %s", n, yesNo(n == 1, one, many))
}
