package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"candor"
)

// serverText is a model server in a few words: ollama up, simulated ollama down.
func serverText(s *candor.Serving) string {
	if s == nil {
		return "-"
	}
	text := s.Kind + " " + string(s.State)
	if s.Simulated {
		text = "simulated " + text
	}
	return text
}

func shareText(share float64) string {
	if share == 0 {
		return "-"
	}
	return percentText(share)
}

// server is a worker's model server with what it has in memory.
func (p page) server(s *candor.Serving) {
	if s == nil {
		return
	}
	text := serverText(s)
	if s.For > 0 {
		text += " for " + roughly(s.For)
	}
	text += " at " + s.URL
	if s.Managed {
		text += ", started by the worker"
	}
	if s.Restarts > 0 {
		text += ", started again " + plural(s.Restarts, "time")
	}
	p.fact("server", text)
	if s.Text != "" && s.Code != "" {
		p.fact("", s.Text+" ("+string(s.Code)+")")
	} else if s.Text != "" {
		p.fact("", s.Text)
	}
	if w := s.Work; w != nil {
		text := fmt.Sprintf("%s %s for %s", w.Kind, w.Model, roughly(w.For))
		if w.Usual > 0 {
			text += ", usually " + roughly(w.Usual)
		}
		p.fact("order", text)
	}
	if s.State == candor.ServerUp {
		p.fact("answers", fmt.Sprintf("%s at once; holds %s", plural(s.Slots, "request"), plural(s.Take, "llm task")))
	}
}

// roughly is a duration as people say it.
func roughly(d candor.Duration) string {
	if d.D() >= 10*time.Second {
		return candor.ShortDuration(d.D().Truncate(time.Second))
	}
	return candor.ShortDuration(d.D().Truncate(time.Millisecond * 100))
}

// loaded is what a model server has in memory.
func (p page) loaded(s *candor.Serving) {
	if s == nil || len(s.Models) == 0 {
		return
	}
	title := "Loaded"
	if s.Simulated {
		title += " (simulated)"
	}
	p.section(title)
	g := grid{indent: "  ", head: []string{"MODEL", "SIZE", "ON CARD", "CONTEXT", "IN USE", "TOKENS/S", "READY"}}
	for _, m := range s.Models {
		rate := "-"
		if m.Rate > 0 {
			rate = rateText(m.Rate)
		}
		g.row(m.Name, sizeCell(m.Size), sizeCell(m.VRAM), countCell(m.Context), countCell(m.InUse), rate, readyText(m))
	}
	g.write(p.w)
}

func readyText(m candor.ServedModel) string {
	switch {
	case m.Ready && m.Token > 0:
		return "yes, its last token " + roughly(m.Token) + " ago"
	case m.Ready:
		return "yes"
	case m.Doubt != "":
		return "no: " + m.Doubt
	default:
		return "no token yet"
	}
}

// card is what a worker last read of its card.
func (p page) card(w candor.Worker) {
	g := cardOf(w)
	if g == nil {
		return
	}
	p.fact("gpu", gpuText(g))
	if w.Card == nil {
		return
	}
	var parts []string
	for _, part := range []string{heatCell(*g), busyCell(*g), powerCell(*g)} {
		if part != "-" {
			parts = append(parts, part)
		}
	}
	p.fact("", strings.Join(parts, ", "))
	if others := processesText(g.Others); others != "" {
		p.fact("", "others on it: "+others)
	}
}

// races is whom a worker lost tasks to while it waited.
func (p page) races(r *candor.Races) {
	if r == nil || r.Lost == 0 {
		return
	}
	least := ""
	if r.AtLeast {
		least = "at least "
	}
	p.section(fmt.Sprintf("While it waited, since %s, %s%s went to others, and %d to it", candor.FormatTime(r.Since), least, plural(r.Lost, "task"), r.Won))
	g := grid{indent: "  ", head: []string{"WINNER", "TASKS", "MEDIAN", "LAST", "AGO"}}
	for _, o := range r.To {
		g.row(o.Worker, strconv.Itoa(o.Lost), candor.SayMargin(o.Median), candor.SayMargin(o.Last), age(p.now, o.At))
	}
	if r.Others > 0 {
		g.row("others", strconv.Itoa(r.Others), "", "", "")
	}
	g.write(p.w)
}

// account is where a worker's time went. Every second belongs to one code, so the
// parts add up to the whole; what does not would show as a line of its own.
func (p page) account(a *candor.Account) {
	if a == nil {
		return
	}
	whole := a.To.Sub(a.From)
	if whole <= 0 {
		return
	}
	p.section("Where its time went, since " + candor.FormatTime(a.From))
	g := grid{indent: "  ", head: []string{"REASON", "TIME", "PART"}}
	line := func(name string, d time.Duration) {
		g.row(name, candor.ShortDuration(d.Truncate(time.Second)), fmt.Sprintf("%.1f%%", 100*float64(d)/float64(whole)))
	}
	rest := whole
	codes := slices.Collect(maps.Keys(a.Sums))
	slices.SortFunc(codes, func(x, y candor.ReasonCode) int {
		return cmp.Or(cmp.Compare(a.Sums[y], a.Sums[x]), cmp.Compare(x, y))
	})
	for _, code := range codes {
		line(string(code), a.Sums[code].D())
		rest -= a.Sums[code].D()
	}
	if rest.Abs() >= time.Second {
		line("not accounted for", rest)
	}
	line("all", whole)
	g.write(p.w)
}
