package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// unplaceable tells why no known worker could ever take such tasks, or nil.
func (s *State) unplaceable(want Want) *candor.Reason {
	present := 0
	refused := map[candor.ReasonCode][]string{}
	for _, w := range s.roster {
		if w.state == candor.WorkerGone {
			continue
		}
		present++
		have := s.have(w)
		code, verdict := Eligible(&want, &have, nil)
		if verdict != candor.VerdictNever {
			return nil
		}
		refused[code] = append(refused[code], w.info.Name)
	}
	if present == 0 {
		return s.noneReason()
	}
	if w := s.returning(&want); w != nil {
		return s.goneReason(w)
	}
	return s.sayUnplaceable(&want, present, refused)
}

func (s *State) sayUnplaceable(want *Want, present int, refused map[candor.ReasonCode][]string) *candor.Reason {
	codes := make([]candor.ReasonCode, 0, len(refused))
	for c := range refused {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b candor.ReasonCode) int {
		if d := len(refused[b]) - len(refused[a]); d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, c := range codes {
		parts = append(parts, s.sayNever(c, want, refused[c]))
	}
	r := candor.NewReason(candor.ReasonUnplaceable, fmt.Sprintf("fits on 0 of %s: %s", count(present, "worker"), strings.Join(parts, "; "))).
		With("workers", present).With("code", string(codes[0]))
	for _, c := range codes {
		r.With("refused."+string(c), len(refused[c]))
	}
	return r
}

// sayNever words one kind of lasting refusal, with the nearest thing there is.
func (s *State) sayNever(code candor.ReasonCode, want *Want, names []string) string {
	who := strings.Join(names, ", ")
	verb := func(one, several string) string { return yesNo(len(names) == 1, one, several) }
	switch code {
	case candor.ReasonVRAMTotal:
		return s.sayTooLarge(want, names)
	case candor.ReasonLabel:
		return s.sayLacking("label", want.Labels, names, func(w *worker) []string { return w.info.Labels })
	case candor.ReasonTool:
		return s.sayNoTool(want, names)
	case candor.ReasonWrongClass:
		return fmt.Sprintf("%s %s not take class %s", who, verb("does", "do"), want.Class)
	case candor.ReasonModelMissing:
		return fmt.Sprintf("%s: no %s on disk%s", who, want.modelName(), didYouMean(s.nearestModel(want.modelName())))
	case candor.ReasonWrongWorker:
		return fmt.Sprintf("wants %s, which is not there", theWorker(want.Worker))
	default:
		return fmt.Sprintf("%s %s it (%s)", who, verb("refuses", "refuse"), code)
	}
}

// sayTooLarge says what is needed of a card, and what the largest there is has.
func (s *State) sayTooLarge(want *Want, names []string) string {
	var largest, needs candor.Bytes
	for _, name := range names {
		have := s.have(s.workers[name])
		if have.VRAM >= largest {
			largest, needs = have.VRAM, want.needs(&have)
		}
	}
	model := ""
	if needs > want.VRAM {
		model = " for " + candor.ModelName(want.Model)
	}
	return fmt.Sprintf("needs %s of VRAM%s, the largest of %s has %s", needs, model, strings.Join(names, ", "), largest)
}

// sayLacking names which of what is required is missing, worker by worker where
// they lack different ones, and the closest spelling that some worker has.
func (s *State) sayLacking(kind string, wants, names []string, has func(*worker) []string) string {
	lacks := &saying{}
	for _, name := range names {
		missing := slices.DeleteFunc(slices.Clone(wants), func(want string) bool { return slices.Contains(has(s.workers[name]), want) })
		lacks.add(name, strings.Join(missing, ", "))
	}
	var parts []string
	for _, missing := range lacks.texts {
		who := lacks.who[missing]
		parts = append(parts, fmt.Sprintf("%s %s %s %s", strings.Join(who, ", "), yesNo(len(who) == 1, "lacks", "lack"), kind, missing))
	}
	return strings.Join(parts, "; ") + s.nearest(wants, has)
}

// nearest suggests the closest spelling that some worker does have, of what none has.
func (s *State) nearest(wants []string, has func(*worker) []string) string {
	for _, want := range wants {
		if slices.ContainsFunc(s.roster, func(w *worker) bool { return slices.Contains(has(w), want) }) {
			continue
		}
		for _, w := range s.roster {
			if near := candor.Nearest(want, has(w)); near != "" {
				return didYouMean(near)
			}
		}
	}
	return ""
}

// modelName is the model that tasks are about: that they ask, or that they load.
func (w *Want) modelName() string {
	if w.Order != nil {
		return w.Order.Model
	}
	return w.Model
}

// nearestModel is the model with the closest name that some worker could load,
// or "".
func (s *State) nearestModel(name string) string {
	var names []string
	for _, w := range s.roster {
		if w.catalog == nil || w.state == candor.WorkerGone {
			continue
		}
		for _, m := range w.catalog.Models {
			names = append(names, candor.ModelName(m.Name))
		}
	}
	slices.Sort(names)
	if near := candor.Nearest(name, names); near != name {
		return near
	}
	return ""
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return " (did you mean " + near + "?)"
}
