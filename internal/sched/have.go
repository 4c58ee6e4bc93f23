package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// Have is what is known of a worker when it is asked about.
type Have struct {
	Info     *candor.WorkerInfo
	State    candor.WorkerState
	Models   []candor.ServedModel // in its model server's memory, by its own account
	Programs *candor.Programs     // what its PATH has; nil: not known
	Catalog  *candor.Catalog      // what its model server could load; nil: not known
	Serving  *candor.Serving      // its model server; nil: none, or never told
	VRAM     candor.Bytes
	Free     candor.Bytes
	Running  Load
	Mute     *candor.Reason // why it cannot take work though it is there; nil: it can
	Silence  string         // how long it has been silent, if lost
	Hot      string         // how hot its card is, if too hot
	Draining bool
	Drain    *candor.Pause // who drains it, as far as that is known
	Paused   *candor.Pause
	// Quarantined: candor itself shut it out.
	Quarantined *candor.Pause
	// Probe: it may take one task all the same.
	Probe   bool
	probeAt time.Time
	// Pauses of everything and by class, in force for all workers.
	AllPaused   *candor.Pause
	ClassPaused map[candor.Class]*candor.Pause

	// Leaving are models that have to go from there: nothing new begins with them.
	Leaving []string
	// HostLoads are the loads that its host carries out, beside those of the worker,
	// and HostLimit how many it may; 0: any number.
	HostLoads []hostLoad
	HostLimit int

	// Kept is for whom room is kept on its card, nil: for nobody; Beside is how much
	// others may use meanwhile.
	Kept   *kept
	Beside candor.Bytes

	share    *share               // of the shape that is asked about; nil: there is no bound
	in       *State               // for words
	of       *worker              // for words, and for what runs there
	measured map[string]*measured // of models, by name
}

// Load counts what a worker runs by what bounds it.
type Load struct{ Commands, LLM, Orders int }

func (l *Load) add(c candor.Class, n int) {
	switch c {
	case candor.ClassLLM:
		l.LLM += n
	case candor.ClassResource:
		l.Orders += n
	default:
		l.Commands += n
	}
}

// room is how many attempts run of the kind that a class belongs to, and how
// many may. With a model server llm attempts are bounded by what it bears, and
// orders go one at a time; without one, all share the worker's slots.
func (h *Have) room(c candor.Class) (taken, most int) {
	return h.Running.room(c, h.Serving, h.Info.Slots)
}

func (l *Load) room(c candor.Class, server *candor.Serving, slots int) (taken, most int) {
	if server == nil {
		return l.Commands + l.LLM + l.Orders, slots
	}
	switch c {
	case candor.ClassLLM:
		return l.LLM, server.Take
	case candor.ClassResource:
		return l.Orders, 1
	default:
		return l.Commands, slots
	}
}

// full tells whether nothing more of any kind can begin.
func (h *Have) full() bool {
	for _, c := range h.Info.Classes {
		if taken, most := h.room(c); taken < most {
			return false
		}
	}
	return true
}

// have is what the predicate needs to know of a worker.
func (s *State) have(w *worker) Have {
	h := Have{
		Info: &w.info, State: w.state, Programs: w.programs, Catalog: w.catalog, Serving: w.view.Serving, Running: w.load, Draining: w.draining, Drain: w.drain, Mute: s.mute(w),
		Paused: w.paused, Quarantined: w.quarantined, AllPaused: s.allPause, ClassPaused: s.classPause, in: s, of: w, measured: s.models,
	}
	if w.hot != nil {
		h.Hot = w.hot.Text
	}
	if w.quarantined != nil {
		h.Probe, h.probeAt = s.probeDue(w), w.nextProbe()
	}
	if len(s.orders) > 0 {
		h.Leaving, h.HostLoads, h.HostLimit = s.leaving(w), s.loadsBeside(w), s.cfg.Placement.LoadsPerHost
	}
	switch {
	case h.Serving != nil:
		h.Models = h.Serving.Models
	case w.view.Model != "":
		h.Models = []candor.ServedModel{{Name: w.view.Model, Ready: true}}
	}
	if g := w.info.GPU; g != nil {
		h.VRAM, h.Free = g.Total, g.Total-w.reserved
		for i := range h.Models {
			h.Free -= h.Models[i].VRAM
		}
		if v := w.view.GPU; v != nil {
			h.Free = min(h.Free, v.Free-w.unseen)
		}
		h.Free = max(h.Free, 0)
		w.keptRoom(&h)
	}
	return h
}

// model finds a model in memory by its name.
func (h *Have) model(name string) *candor.ServedModel {
	for i := range h.Models {
		if m := &h.Models[i]; m.Name == name || candor.ModelName(m.Name) == name {
			return m
		}
	}
	return nil
}

// serves finds a ready model that may answer: the one that is wanted, else one
// that the plan accepts in its place.
func (h *Have) serves(w *Want) *candor.ServedModel {
	if m := h.model(w.Model); fit(m, w) && !h.leaves(w.Model) {
		return m
	}
	for _, name := range w.Accept {
		if m := h.model(name); fit(m, w) && !h.leaves(name) {
			return m
		}
	}
	return nil
}

// leaves tells whether a model has to go.
func (h *Have) leaves(name string) bool {
	return slices.ContainsFunc(h.Leaving, func(l string) bool { return candor.ModelName(l) == name })
}

// fit tells whether a model may answer now: it has produced a token, and its
// context is long enough, as far as that is known.
func fit(m *candor.ServedModel, w *Want) bool {
	return m != nil && m.Ready && (m.Context == 0 || m.Context >= w.Context)
}

// knows tells whether a worker's server could load a model; not known is yes.
func (h *Have) knows(name string) bool {
	if h.Catalog == nil || name == "" {
		return true
	}
	return slices.ContainsFunc(h.Catalog.Models, func(m candor.CatalogModel) bool { return m.Name == name || candor.ModelName(m.Name) == name })
}

// holders names who holds the memory of the card that is not free.
func (h *Have) holders() string {
	if h.of == nil {
		return ""
	}
	var who []string
	for _, t := range h.of.running {
		if v := t.vram(); v > 0 {
			who = append(who, fmt.Sprintf("task %s (%s) %s", t.id, t.name(), v))
		}
	}
	for i := range h.Models {
		if m := &h.Models[i]; m.VRAM > 0 {
			who = append(who, fmt.Sprintf("model %s %s", m.Name, m.VRAM))
		}
	}
	if g := h.of.view.GPU; g != nil {
		for _, p := range g.Others {
			who = append(who, fmt.Sprintf("pid %d (%s) %s", p.PID, p.Name, p.VRAM))
		}
	}
	if len(who) == 0 {
		return ""
	}
	return ", held by " + strings.Join(who, ", ")
}

// loaded is what is in memory, in words.
func (h *Have) loaded() string {
	if h.Serving != nil && h.Serving.Work != nil && h.Serving.Work.Kind == candor.OrderLoad {
		return "it loads " + h.Serving.Work.Model + sayWork(h.in, h.Serving.Work)
	}
	var names []string
	for i := range h.Models {
		m := &h.Models[i]
		word := m.Name
		switch {
		case h.leaves(candor.ModelName(m.Name)):
			word += " (has to go)"
		case m.Doubt != "":
			word += " (not ready: " + m.Doubt + ")"
		case !m.Ready:
			word += " (no token yet)"
		}
		names = append(names, word)
	}
	switch {
	case len(names) > 0:
	case h.inWork():
		return "it loads or unloads a model, and has not said which"
	default:
		return "no model loaded"
	}
	return strings.Join(names, ", ") + " loaded"
}

// sayWork is how far a load is, by what its worker knows of such, else by what
// is known elsewhere or guessed: 12s of about 40s.
func sayWork(s *State, w *candor.ModelWork) string {
	usual := w.Usual.D()
	if usual == 0 && w.Kind == candor.OrderLoad {
		usual = s.loadTime(candor.ModelName(w.Model))
	}
	return sayFar(w.For.D(), usual)
}
