package sched

import (
	"slices"
	"strings"
	"time"

	"candor"
)

// measured is what is known of a model by experience, over all workers.
type measured struct {
	ModelRecord
	dirty bool
}

// smoothing is how many measures an average remembers: enough to outlast one
// odd task, few enough to follow a plan with longer prompts.
const smoothing = 20

// average takes a measure into a moving average of n earlier ones.
func average(old, now time.Duration, n int) time.Duration {
	weight := min(n+1, smoothing)
	return old + (now-old)/time.Duration(weight)
}

// model is what is known of a model, made on first sight.
func (s *State) model(name string) *measured {
	if m := s.models[name]; m != nil {
		return m
	}
	m := &measured{ModelRecord: ModelRecord{Name: name}}
	s.models[name] = m
	return m
}

func (s *State) touchModel(m *measured) {
	if !m.dirty {
		m.dirty = true
		s.dirtyModels = append(s.dirtyModels, m)
	}
}

// takeModels hands out what was measured since the last commit. A measure alone
// is no reason for one: it goes along with the next.
func (s *State) takeModels(c *Changes) {
	slices.SortFunc(s.dirtyModels, func(a, b *measured) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range s.dirtyModels {
		m.dirty = false
		c.Models = append(c.Models, m.ModelRecord)
	}
	s.dirtyModels = s.dirtyModels[:0]
}

// ran measures what a task of a model takes one worker: the time between two
// completions there, so that several at once count as what they are.
func (s *State) ran(t *task, w *worker) {
	if t.step.spec.Class != candor.ClassLLM {
		return
	}
	from := t.run.started
	if w.answered.After(from) {
		from = w.answered
	}
	w.answered = s.now
	m := s.model(candor.ModelName(t.step.spec.Model))
	m.Run = average(m.Run, s.now.Sub(from), m.Runs)
	m.Runs++
	s.touchModel(m)
}

// loaded measures a load by what its worker said of it.
func (s *State) loaded(name string, took time.Duration, after []candor.ServedModel) {
	m := s.model(name)
	m.Load = average(m.Load, took, m.Loads)
	m.Loads++
	for i := range after {
		if o := &after[i]; candor.ModelName(o.Name) == name && o.VRAM > 0 && o.VRAM == o.Size {
			m.VRAM = o.VRAM
		}
	}
	s.touchModel(m)
}

// loadTime is what a load of a model is expected to take.
func (s *State) loadTime(name string) time.Duration {
	if m := s.models[name]; m != nil && m.Loads > 0 {
		return m.Load
	}
	return s.cfg.Placement.LoadGuess
}

// runTime is what a task of a model is expected to take one worker. Before one
// has ended, those that run have taken at least so long.
func (s *State) runTime(name string) time.Duration {
	if m := s.models[name]; m != nil && m.Runs > 0 {
		return m.Run
	}
	longest := s.cfg.Placement.RunGuess
	for _, w := range s.roster {
		if w.load.LLM == 0 {
			continue
		}
		for _, t := range w.running {
			if t.step.spec.Class == candor.ClassLLM && candor.ModelName(t.step.spec.Model) == name {
				longest = max(longest, s.now.Sub(t.run.started)/time.Duration(w.load.LLM))
			}
		}
	}
	return longest
}
