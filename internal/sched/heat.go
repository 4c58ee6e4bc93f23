package sched

import (
	"fmt"

	"candor"
)

// feel notes how hot a worker's card is. A card that reached the limit is too
// hot until it is below the lower one: else it would flicker between the two.
func (s *State) feel(w *worker) {
	g := w.view.GPU
	if g == nil {
		return
	}
	limit, resume := s.cfg.Heat.Limit, s.cfg.Heat.Resume
	switch {
	case w.hot == nil && limit > 0 && g.Temperature >= limit:
		s.round++
		w.hot = sayHot(w, g.Temperature, limit, resume)
		w.hot.Since = s.now
		s.event(&candor.Event{Level: candor.LevelWarn, Code: candor.EventHot, Worker: w.info.Name, Reason: candor.ReasonThermal, Text: w.hot.Text})
	case w.hot != nil && (limit <= 0 || g.Temperature < resume):
		took := s.now.Sub(w.hot.Since)
		w.hot = nil
		s.ready++
		s.round++
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventCool, Worker: w.info.Name,
			Text: fmt.Sprintf("Card of %s is cool again after %s: %.0f °C < %.0f", w.info.Name, candor.ShortDuration(took), g.Temperature, resume),
		})
	case w.hot != nil:
		since := w.hot.Since
		w.hot = sayHot(w, g.Temperature, limit, resume)
		w.hot.Since = since
	}
}

func sayHot(w *worker, now, limit, resume float64) *candor.Reason {
	text := fmt.Sprintf("waiting for %s to cool: %.0f °C, limit %.0f, resumes below %.0f", w.info.Name, now, limit, resume)
	if now >= limit {
		text = fmt.Sprintf("waiting for %s to cool: %.0f °C ≥ %.0f, resumes below %.0f", w.info.Name, now, limit, resume)
	}
	return candor.NewReason(candor.ReasonThermal, text).With("temperature_c", now).With("limit_c", limit).With("resume_c", resume)
}
