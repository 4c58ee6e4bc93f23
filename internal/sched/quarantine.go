package sched

import (
	"fmt"
	"slices"
	"time"

	"candor"
)

// trialFailed notes a counted failure on a worker, and shuts the worker out
// when the failures tell of it rather than of the tasks.
func (s *State) trialFailed(w *worker, t *task) {
	w.badAt = s.now
	w.trials.note(t.id, s.now, s.now.Add(-s.cfg.BadWindow))
	if w.trials.len() >= s.cfg.Quarantine && !slices.Contains(s.failing, w) {
		s.failing = append(s.failing, w)
	}
	s.judge(w)
}

// trialPassed notes that a task completed on a worker: it is no black hole, and
// it is what others are compared with.
func (s *State) trialPassed(w *worker) {
	w.goodAt = s.now
	w.trials = trials{}
	if len(s.failing) == 0 {
		return
	}
	s.failing = slices.DeleteFunc(s.failing, func(o *worker) bool { return o == w })
	for _, o := range slices.Clone(s.failing) {
		s.judge(o)
	}
}

// judge shuts a worker out when different tasks failed on it one after the
// other, none succeeded, and elsewhere the reverse holds. Without another worker
// to compare with, nothing can be told.
func (s *State) judge(w *worker) {
	if w.quarantined != nil || w.trials.len() < s.cfg.Quarantine || s.cfg.Quarantine < 0 {
		return
	}
	since := s.now.Add(-s.cfg.BadWindow)
	good := false
	for _, o := range s.roster {
		if o == w {
			continue
		}
		if o.badAt.After(since) {
			return
		}
		good = good || o.goodAt.After(since)
	}
	if good {
		s.failing = slices.DeleteFunc(s.failing, func(o *worker) bool { return o == w })
		s.quarantine(w)
	}
}

// quarantine shuts a worker out until a probe completes or a person resumes it, and gives the tasks
// that failed there their attempts back.
func (s *State) quarantine(w *worker) {
	bad := w.trials.list()
	w.trials = trials{}
	took := candor.ShortDuration(s.now.Sub(bad[0].at).Truncate(time.Second))
	why := fmt.Sprintf("%d different tasks failed on %s in %s, 0 elsewhere", len(bad), w.info.Name, took)
	s.pauses = append(slices.Clone(s.pauses), candor.Pause{Scope: candor.ScopeQuarantine, Target: w.info.Name, By: "candor", Why: why, At: s.now})
	w.probe = probes{at: s.now.Add(probeFirst), wait: probeFirst}
	s.indexPauses()
	s.changes.PausesSet = true
	s.event(&candor.Event{
		Level: candor.LevelError, Code: candor.EventQuarantined, Worker: w.info.Name, Reason: candor.ReasonQuarantined,
		Text: fmt.Sprintf("Worker %s quarantined: %s; next probe %s, candor resume worker:%s lets it take tasks again", w.info.Name, why, candor.FormatTime(w.probe.at), w.info.Name),
	})
	ended := map[*batch][]*task{}
	for _, tr := range bad {
		t := s.tasks.find(tr.task)
		if t == nil || t.past == nil || t.past.last == nil || t.past.last.Worker != w.info.Name || t.counted == 0 {
			continue
		}
		switch t.state {
		case queued:
			t.counted--
			s.touch(t)
		case failed:
			if !t.batch().rec.Cancelled && t.past.last.Outcome != candor.AttemptPermanent {
				t.counted--
				ended[t.batch()] = append(ended[t.batch()], t)
			}
		}
	}
	for _, b := range slices.Clone(s.order) {
		if len(ended[b]) > 0 {
			s.reviveAll(b, ended[b], nil, "candor, since "+w.info.Name+" is to blame")
		}
	}
}

// quarantineReason is why a worker that is shut out takes nothing.
func (s *State) quarantineReason(w *worker) *candor.Reason {
	have := s.have(w)
	r := candor.NewReason(candor.ReasonQuarantined, fmt.Sprintf("%s is quarantined since %s: %s; %s", w.info.Name, candor.FormatTime(w.quarantined.At), w.quarantined.Why, have.sayProbe())).
		With("next_probe", candor.FormatTime(w.nextProbe())).Do("candor resume worker:" + w.info.Name)
	r.Since = w.quarantined.At
	return r
}
