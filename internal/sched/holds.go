package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// A server may hold fewer models at once than it is known to: an Ollama that
// somebody else runs does not tell its limit, nor how models share its memory.
// It shows when a load pushes out what was to stay.

// learnHolds takes from the result of a load how many models its worker's server
// holds at once, where more were expected. It may have been pushed out itself,
// by tasks that went on with what had been there.
func (s *State) learnHolds(t *task, w *worker, res *candor.Result) {
	r := res.Order
	pushed := res.Reason != nil && res.Reason.Code == candor.ReasonModelLoading
	if r == nil || t.step.spec.Order.Kind != candor.OrderLoad || res.Outcome != candor.AttemptDone && !pushed {
		return
	}
	var lost []string
	for _, name := range r.Evicted {
		if !slices.Contains(t.step.spec.Order.Evict, candor.ModelName(name)) {
			lost = append(lost, candor.ModelName(name))
		}
	}
	most := max(1, len(r.After))
	if len(lost) == 0 || w.holds > 0 && w.holds <= most {
		return
	}
	w.holds = most
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventModelGone, Worker: w.info.Name, Model: lost[0], Batch: t.batch().rec.ID, Task: t.id,
		Text: fmt.Sprintf("Model %s is gone from %s, since %s was loaded beside it: its server is taken to hold %s at once",
			strings.Join(lost, ", "), w.info.Name, t.step.spec.Order.Model, count(w.holds, "model")),
	})
}

// seeHolds notes that a server holds more models at once than was thought.
func (w *worker) seeHolds() {
	if v := w.view.Serving; v != nil && w.holds > 0 {
		w.holds = max(w.holds, len(v.Models))
	}
}

// mostModels is how many models a worker's server may hold at once; 0: as many
// as fit.
func (w *worker) mostModels() int {
	most := 0
	if v := w.view.Serving; v != nil {
		most = v.Most
	}
	if w.holds > 0 && (most == 0 || w.holds < most) {
		most = w.holds
	}
	return most
}
