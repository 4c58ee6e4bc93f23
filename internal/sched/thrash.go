package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// Thrash: so many swaps on one worker within that time are named.
const (
	thrashSwaps  = 5
	thrashWindow = 10 * time.Minute
)

// swap is one load, mostly of a model that takes another's place.
type swap struct {
	at    time.Time
	model string
	took  time.Duration
}

// swapped notes a load, and names a worker on which the same models are loaded
// again and again: they push each other out, or somebody else does.
func (s *State) swapped(w *worker, model string, r *candor.OrderResult) {
	if r == nil {
		return
	}
	since := s.now.Add(-thrashWindow)
	w.swaps = slices.DeleteFunc(w.swaps, func(x swap) bool { return x.at.Before(since) })
	if len(w.swaps) == 0 {
		for _, name := range r.Evicted {
			w.swaps = append(w.swaps, swap{at: s.now, model: candor.ModelName(name)})
		}
	}
	w.swaps = append(w.swaps, swap{s.now, model, r.Took.D()})
	if text := s.sayThrash(w); text != "" && s.now.Sub(w.thrashTold) >= thrashWindow {
		w.thrashTold = s.now
		s.event(&candor.Event{Level: candor.LevelWarn, Code: candor.EventThrash, Worker: w.info.Name, Reason: candor.ReasonThrash, Text: fmt.Sprintf("Worker %s: %s", text, thrashRemedy)})
	}
}

// thrashRemedy is what a person can do about it.
const thrashRemedy = "raise placement.hold or placement.max_wait, or give one of them a card of its own"

// thrashes is the reason of those who wait for one of the models that take turns
// on a worker, nil if there is no such cycle. now is what is the case right now.
func (s *State) thrashes(w *worker, model, now string) *candor.Reason {
	if !slices.ContainsFunc(w.swaps, func(x swap) bool { return x.model == model }) {
		return nil
	}
	text := s.sayThrash(w)
	if text == "" {
		return nil
	}
	return candor.NewReason(candor.ReasonThrash, text+"; now: "+now).With("worker", w.info.Name).Do(thrashRemedy)
}

// thrashesNow is the same for the worker, while somebody waits for such a model.
func (s *State) thrashesNow(w *worker, now string) *candor.Reason {
	have := s.have(w)
	for _, sh := range s.shapeList {
		if sh.ready == 0 || sh.want.Class != candor.ClassLLM || have.serves(&sh.want) != nil {
			continue
		}
		if r := s.thrashes(w, sh.want.Model, now); r != nil {
			return r
		}
	}
	return nil
}

// sayThrash names the cycle on a worker, "" if there is none.
func (s *State) sayThrash(w *worker) string {
	since := s.now.Add(-thrashWindow)
	var names []string
	var loading time.Duration
	var first time.Time
	swaps, back := 0, 0
	for _, x := range w.swaps {
		if x.at.Before(since) {
			continue
		}
		if first.IsZero() {
			first = x.at
		}
		if x.took > 0 {
			swaps++
			loading += x.took
		}
		if slices.Contains(names, x.model) {
			back++
		}
		names = append(names, x.model)
	}
	span := s.now.Sub(first)
	if swaps < thrashSwaps || back < 2 || span <= 0 {
		return ""
	}
	return fmt.Sprintf("%s swaps %s, %d times in %s, %.0f %% of the time loading", w.info.Name, strings.Join(names[max(0, len(names)-3):], "→"),
		swaps, candor.ShortDuration(span.Round(time.Second)), min(100, 100*loading.Seconds()/span.Seconds()))
}

// noteModels follows what is in the memory of a worker's server, and names what
// went without an order.
func (s *State) noteModels(w *worker, was *candor.Serving) {
	now := w.view.Serving
	if now == nil {
		return
	}
	s.noteServer(w, was, now)
	if w.since == nil {
		w.since = map[string]time.Time{}
	}
	there := map[string]bool{}
	for i := range now.Models {
		if m := &now.Models[i]; m.Ready {
			name := candor.ModelName(m.Name)
			there[name] = true
			if _, known := w.since[name]; !known {
				w.since[name] = s.now
			}
		}
	}
	for _, name := range sortedKeys(w.since) {
		if there[name] {
			continue
		}
		delete(w.since, name)
		if w.load.Orders == 0 && now.State == candor.ServerUp && now.Work == nil {
			s.event(&candor.Event{
				Level: candor.LevelWarn, Code: candor.EventModelGone, Worker: w.info.Name, Model: name,
				Text: fmt.Sprintf("Model %s is gone from %s, and no order did it: its process died, or somebody else's request pushed it out", name, w.info.Name),
			})
		}
	}
}

// noteServer tells when a worker's model server falls and when it is back.
func (s *State) noteServer(w *worker, was, now *candor.Serving) {
	if was == nil || (was.State == candor.ServerUp) == (now.State == candor.ServerUp) && was.State != candor.ServerOut && now.State != candor.ServerOut {
		return
	}
	switch {
	case was.State == now.State, now.State == candor.ServerStarting:
	case now.State == candor.ServerUp:
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventServerUp, Worker: w.info.Name,
			Text: fmt.Sprintf("Model server of %s answers (%s, %s)", w.info.Name, now.Kind, count(now.Restarts, "restart")),
		})
	default:
		text := fmt.Sprintf("Model server of %s is %s", w.info.Name, now.State)
		if now.Text != "" {
			text += ": " + now.Text
		}
		s.event(&candor.Event{Level: candor.LevelWarn, Code: candor.EventServerDown, Worker: w.info.Name, Text: fmt.Sprintf("%s (%s so far)", text, count(now.Restarts, "restart"))})
	}
}
