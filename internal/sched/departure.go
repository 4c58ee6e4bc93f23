package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// departure is how a worker came not to be there any more, as far as anybody saw it.
type departure struct {
	how   string    // left: TERM; crashed: …; exited: signal: KILL (9)
	at    time.Time // when it was told
	again time.Time // when its supervisor starts it anew; zero: it does not
}

// sawEnd takes in what a supervisor saw of a process's end. What the worker said
// of it itself, that it crashed or why it left, says more than its exit code.
func (s *State) sawEnd(w *worker, hw *candor.HostWorker) {
	if w.departure.at.IsZero() {
		w.departure = departure{how: "ended (" + hw.Exit + ")", at: s.now}
	}
	if hw.Again > 0 && w.departure.again.IsZero() {
		w.departure.again = s.now.Add(hw.Again.D())
	}
	w.setReason(s.now, s.goneReason(w))
}

// returns tells whether a supervisor that lives is about to start a worker that
// has ended. It is given as long as a silent worker is.
func (s *State) returns(w *worker) bool {
	return w.state == candor.WorkerGone && !w.departure.again.IsZero() && s.supervised(w) && s.now.Sub(w.departure.again) < s.cfg.Lost
}

// goneReason is that a worker is not there, how that came, and whether it will
// be there again.
func (s *State) goneReason(w *worker) *candor.Reason {
	r := candor.NewReason(candor.ReasonWorkerGone, w.info.Name+" "+s.sayGone(w)).With("pid", w.info.PID)
	r.Since = w.departure.at
	if w.departure.at.IsZero() {
		r.Since = w.seen
	}
	if s.returns(w) {
		r.Mover = candor.MoverSystem
		return r.With("again_by", candor.FormatTime(w.departure.again))
	}
	return r.Do("candor worker --name " + w.info.Name)
}

// sayGone is that a worker is not there, as what follows its name.
func (s *State) sayGone(w *worker) string {
	e := &w.departure
	text := fmt.Sprintf("is not there any more (pid %d): it ended before this brain began", w.info.PID)
	if !e.at.IsZero() {
		text = fmt.Sprintf("%s %s ago (pid %d)", e.how, candor.ShortDuration(s.now.Sub(e.at)), w.info.PID)
	}
	switch {
	case s.returns(w):
		text += "; its supervisor starts it again by " + candor.FormatTime(e.again)
	case !e.again.IsZero() && !s.supervised(w):
		text += fmt.Sprintf("; its supervisor %s, which was to start it again, is silent", w.info.Supervisor)
	case !e.again.IsZero():
		text += fmt.Sprintf("; its supervisor was to start it again by %s, and it has not joined", candor.FormatTime(e.again))
	}
	return text
}

// shownGone bounds how many of the workers that left are named.
const shownGone = 3

// noneReason is that no worker is there: none was ever, or who left last. What
// asks has a brain that runs, so a worker is all that is missing.
func (s *State) noneReason() *candor.Reason {
	gone := slices.DeleteFunc(slices.Clone(s.roster), func(w *worker) bool { return w.state != candor.WorkerGone })
	if len(gone) == 0 {
		return candor.NewReason(candor.ReasonNoWorkers, "no worker has joined").Do("candor worker")
	}
	slices.SortStableFunc(gone, func(a, b *worker) int { return b.departure.at.Compare(a.departure.at) })
	var parts []string
	for _, w := range gone[:min(len(gone), shownGone)] {
		parts = append(parts, w.info.Name+" "+s.sayGone(w))
	}
	text := "no worker is there: " + strings.Join(parts, "; ")
	if more := len(gone) - shownGone; more > 0 {
		text += fmt.Sprintf("; and %d more left before", more)
	}
	r := candor.NewReason(candor.ReasonNoWorkers, text).With("left", len(gone))
	r.Since = gone[0].departure.at
	if slices.ContainsFunc(gone, s.returns) {
		r.Mover = candor.MoverSystem
		return r
	}
	return r.Do("candor worker")
}

// returning is a worker that is about to be there again and could take such
// tasks then, or nil.
func (s *State) returning(want *Want) *worker {
	for _, w := range s.roster {
		if s.returns(w) && s.couldEver(want, w) {
			return w
		}
	}
	return nil
}
