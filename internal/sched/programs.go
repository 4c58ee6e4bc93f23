package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// Programs. A worker says which commands its PATH has when it registers, and again
// when they change or the brain asks. They are not stored: until a worker has said
// so, nobody can say that a tool is missing there, nor that it is there. Not known
// is a reason of its own, and candor's to end.

// learn takes in a worker's programs. Workers that are set up alike have equal ones,
// thousands of names each: these are kept once.
func (s *State) learn(w *worker, p *candor.Programs) {
	for _, o := range s.roster {
		if o.programs != nil && o.programs.Equal(p) {
			p = o.programs
			break
		}
	}
	w.programs, w.info.Tools = p, p.Usual()
}

// relearn takes in what a heartbeat says of a worker's programs.
func (s *State) relearn(w *worker, p *candor.Programs) {
	if w.programs != nil && w.programs.Equal(p) {
		return
	}
	s.learn(w, p)
	s.touchWorker(w)
	s.retries(w) // what it refused a moment ago it may take now
	s.round++
	s.replan()
}

func toolCheck() check {
	return check{
		code: candor.ReasonTool, verdict: candor.VerdictNever,
		applies: func(w *Want) bool { return len(w.Tools) > 0 },
		ok:      func(w *Want, h *Have) bool { return h.Programs == nil || h.Programs.HasAll(w.Tools) },
		say:     func(w *Want, h *Have) (string, string) { return "tool " + strings.Join(w.Tools, ", "), h.sayTools(w) },
	}
}

func toolUnknownCheck() check {
	return check{
		code: candor.ReasonToolUnknown, verdict: candor.VerdictNotNow,
		applies: func(w *Want) bool { return len(w.Tools) > 0 },
		ok:      func(_ *Want, h *Have) bool { return h.Programs != nil },
		say: func(w *Want, h *Have) (string, string) {
			wanted := "to know whether it has tool " + strings.Join(w.Tools, ", ")
			if h.Programs == nil {
				return wanted, untold
			}
			return wanted, count(len(h.Programs.Names), "program") + " told"
		},
	}
}

// untold is how a worker stands whose programs are not known.
const untold = "it has not yet said which programs its PATH has"

// sayTools is which of the wanted programs a worker has, or lacks, in words.
func (h *Have) sayTools(w *Want) string {
	if h.Programs == nil {
		return untold
	}
	lacks := h.Programs.Lacks(w.Tools)
	switch {
	case len(lacks) == 0:
		return "has " + strings.Join(w.Tools, ", ")
	case h.Programs.Chosen:
		return fmt.Sprintf("no %s among the %s that its worker.tools offers", strings.Join(lacks, ", "), count(len(h.Programs.Names), "program"))
	default:
		return fmt.Sprintf("no %s among the %s on its PATH", strings.Join(lacks, ", "), count(len(h.Programs.Names), "program"))
	}
}

// sayNoTool words that workers lack tools for good, each with those that it lacks.
func (s *State) sayNoTool(want *Want, names []string) string {
	var said, missing []string
	who := map[string][]string{}
	for _, name := range names {
		lacks, where := want.Tools, ""
		if w := s.workers[name]; w != nil && w.programs != nil {
			lacks = w.programs.Lacks(want.Tools)
			where = yesNo(w.programs.Chosen, " among those that worker.tools offers", "")
		}
		for _, tool := range lacks {
			if !s.anyHas(tool) {
				missing = append(missing, tool)
			}
		}
		text := "tool " + strings.Join(lacks, ", ") + where
		if who[text] == nil {
			said = append(said, text)
		}
		who[text] = append(who[text], name)
	}
	for i, text := range said {
		said[i] = fmt.Sprintf("%s %s %s", strings.Join(who[text], ", "), yesNo(len(who[text]) == 1, "lacks", "lack"), text)
	}
	return strings.Join(said, "; ") + s.nearest(missing, func(w *worker) []string { return w.info.Tools })
}

// anyHas tells whether some worker is known to have a tool.
func (s *State) anyHas(tool string) bool {
	return slices.ContainsFunc(s.roster, func(w *worker) bool { return w.programs != nil && w.programs.HasAll([]string{tool}) })
}
