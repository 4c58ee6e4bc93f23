package sched

import (
	"fmt"
	"time"

	"candor"
)

// A worker's claim loop asks for work and delivers results. When it stands still
// its heartbeats go on, so that nothing but what it does not do shows it: it has
// a free slot, or something that has ended in its hands, and does not ask.

// awaited is since when a claim of a worker is waited for: since it last asked,
// or since what filled its slots has ended; false: it need not ask.
func (w *worker) awaited() (since time.Time, ok bool) {
	var first, last time.Time
	busy := 0
	for _, t := range w.running {
		switch ended := t.run.ended; {
		case ended.IsZero():
			busy++
			continue
		case first.IsZero() || ended.Before(first):
			first = ended
		}
		if t.run.ended.After(last) {
			last = t.run.ended
		}
	}
	switch {
	case busy >= w.info.Slots, w.draining, w.paused != nil, w.quarantined != nil:
		return first, !first.IsZero() // it takes nothing, but owes a result
	case last.After(w.asked):
		return last, true
	default:
		return w.asked, true
	}
}

// quietSince is awaited, and of one that need not ask any more when it last did.
func (w *worker) quietSince() time.Time {
	if since, ok := w.awaited(); ok {
		return since
	}
	return w.asked
}

// overdue is for how long a claim has been waited for that should have come; 0:
// it should not yet.
func (s *State) overdue(w *worker) time.Duration {
	since, ok := w.awaited()
	if !ok || s.now.Before(w.due) || s.now.Sub(since) < askGrace {
		return 0
	}
	return s.now.Sub(since)
}

// checkAsking names a worker that is alive, but whose calls fail, or whose claim
// loop does not ask.
func (s *State) checkAsking(w *worker) {
	quiet := s.overdue(w)
	switch {
	case w.silent || !w.frozen.IsZero():
		return
	case w.failing != nil:
		quiet = s.now.Sub(w.failing.since)
	}
	if quiet == 0 || quiet < s.cfg.Asking {
		return
	}
	w.silent = true
	r := s.mute(w)
	w.setReason(s.now, r)
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventWorkerNotAsking, Worker: w.info.Name, Reason: r.Code, Text: "Worker " + r.Text,
	})
}

// notAsking is that a claim loop stands still. Its stack, which QUIT has it write,
// says where; then its supervisor starts it again.
func (s *State) notAsking(w *worker) *candor.Reason {
	since := w.quietSince()
	text := fmt.Sprintf("%s is alive (heartbeat %s ago), but its claim loop %s", w.info.Name, candor.ShortDuration(s.now.Sub(w.seen)), s.sayQuiet(w))
	r := candor.NewReason(candor.ReasonNotAsking, text).With("quiet_seconds", int(s.now.Sub(since).Seconds())).With("doing", w.doing).
		Do(fmt.Sprintf("kill -QUIT %d", w.info.PID))
	r.Since = since
	return r
}

// sayQuiet says of a claim loop how long it has not asked, and what it is in.
func (s *State) sayQuiet(w *worker) string {
	text := "has not asked for " + candor.ShortDuration(s.now.Sub(w.quietSince()))
	if w.doing != "" {
		text += fmt.Sprintf(" (in: %s since %s)", w.doing, candor.FormatTime(w.doingAt))
	}
	return text
}

// sayLate is what there is to say of a worker that is about to ask, and should
// have; "": it should not yet.
func (s *State) sayLate(w *worker) string {
	if s.overdue(w) == 0 {
		return ""
	}
	return fmt.Sprintf("; but the claim loop of %s %s, and is named as standing still after %s", w.info.Name, s.sayQuiet(w), candor.ShortDuration(s.cfg.Asking))
}
