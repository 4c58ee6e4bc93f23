package sched

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// A worker may be there and yet be unable to take work: its process is stopped,
// its calls are not answered, or its claim loop stands still. Its heartbeat, or
// its supervisor, tells.

// failing is what a worker's calls meet since one was answered, by its own word.
type failing struct {
	calls map[string]int
	since time.Time
	last  string
}

// shownCalls bounds how many codes of failed calls are told.
const shownCalls = 5

// noteFailing takes in what a heartbeat says of the worker's other calls.
func (s *State) noteFailing(w *worker, f *candor.Failing) {
	if f == nil || len(f.Calls) == 0 {
		s.answeredAgain(w)
		return
	}
	if w.failing == nil {
		s.round++
	}
	w.failing = &failing{calls: f.Calls, since: s.now.Add(-f.For.D()), last: f.Last}
}

// answeredAgain ends the failing of a worker's calls.
func (s *State) answeredAgain(w *worker) {
	if w.failing == nil {
		return
	}
	w.failing = nil
	s.retries(w) // it may be offered again what it could not ask for
	s.round++
	if w.silent {
		w.silent = false
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventWorkerBack, Worker: w.info.Name,
			Text: fmt.Sprintf("Calls of worker %s are answered again", w.info.Name),
		})
	}
}

// String counts the calls by what they met, most first.
func (f *failing) String() string {
	codes := sortedKeys(f.calls)
	slices.SortStableFunc(codes, func(a, b string) int { return cmp.Compare(f.calls[b], f.calls[a]) })
	var parts []string
	for _, code := range codes[:min(len(codes), shownCalls)] {
		parts = append(parts, fmt.Sprintf("%s answered %s", count(f.calls[code], "call"), code))
	}
	text := strings.Join(parts, ", ") + " since " + candor.FormatTime(f.since)
	if f.last != "" {
		text += "; the last: " + f.last
	}
	return text
}

// mute is why a worker that is there cannot take work, or nil. What a claim asks
// is not kept from it by what was told of claims before.
func (s *State) mute(w *worker) *candor.Reason {
	switch {
	case !w.present():
		return nil
	case !w.frozen.IsZero():
		return frozenReason(w)
	case w.failing != nil:
		r := candor.NewReason(candor.ReasonCallsFail, fmt.Sprintf("%s is alive (heartbeat %s ago), but its calls fail: %s",
			w.info.Name, candor.ShortDuration(s.now.Sub(w.seen)), w.failing)).With("calls", w.failing.calls)
		r.Since = w.failing.since
		return r
	case w.silent:
		return s.notAsking(w)
	}
	return nil
}

// remedy is remedy, or what ends the worker's being mute.
func (s *State) remedy(code candor.ReasonCode, model, worker string) string {
	if r := s.mute(s.workers[worker]); r != nil && r.Code == code {
		return r.Next
	}
	return remedy(code, model, worker)
}

// unsentReason is that a task has ended and the brain has not got its result.
func (s *State) unsentReason(t *task, w *worker) *candor.Reason {
	text := fmt.Sprintf("%s has ended on %s, ", t.name(), t.run.worker)
	switch {
	case w != nil && w.failing != nil:
		r := candor.NewReason(candor.ReasonCallsFail, text+"but its result does not come: "+w.failing.String())
		r.Since = w.failing.since
		return r
	case w != nil && w.silent:
		r := s.notAsking(w)
		r.Text = text + "but its result does not come: " + r.Text
		return r
	case w != nil:
		text += "whose result is on its way" + s.sayLate(w)
		return candor.NewReason(candor.ReasonRunning, text)
	}
	return candor.NewReason(candor.ReasonRunning, text+"whose result is on its way")
}

// muteCheck refuses what a worker cannot take for one of those reasons.
func muteCheck(code candor.ReasonCode, wanted string) check {
	return check{
		code: code, verdict: candor.VerdictNotNow,
		ok: func(_ *Want, h *Have) bool { return h.Mute == nil || h.Mute.Code != code },
		say: func(_ *Want, h *Have) (string, string) {
			if h.Mute == nil || h.Mute.Code != code {
				return wanted, "it does"
			}
			return wanted, strings.TrimPrefix(strings.TrimPrefix(h.Mute.Text, h.Info.Name+": "), h.Info.Name+" ")
		},
	}
}
