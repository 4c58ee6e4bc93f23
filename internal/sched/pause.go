package sched

import (
	"cmp"
	"fmt"
	"slices"

	"candor"
)

// pause stops handing out: everything, a class, a batch, a worker. What runs
// runs on.
func (s *State) pause(req candor.ChangeRequest) (candor.ChangeReply, error) {
	return s.eachPause(req, func(p candor.Pause) string {
		if i := s.findPause(p); i >= 0 {
			return "was " + sayPause(&s.pauses[i]) + " already"
		}
		if b := s.pausedBatch(p); b != nil && b.rec.State == candor.BatchComplete {
			return "has ended already (" + string(b.rec.Outcome) + "): nothing of it is handed out"
		}
		verb, code := "paused", candor.EventPaused
		if p.Scope == candor.ScopeQuarantine {
			verb, code = "shut out", candor.EventQuarantined
		}
		if req.DryRun {
			return "would be " + verb
		}
		s.pauses = append(s.pauses, p)
		s.changePauses(code, fmt.Sprintf("%s %s%s%s", sayScope(p), verb, byWhom(p.By), because(p.Why)))
		return verb + "; what runs runs on; candor resume " + scopeArg(p) + " undoes it"
	})
}

// resume undoes pause.
func (s *State) resume(req candor.ChangeRequest) (candor.ChangeReply, error) {
	return s.eachPause(req, func(p candor.Pause) string {
		i := s.findPause(p)
		if i < 0 && p.Scope == "worker" {
			p.Scope = candor.ScopeQuarantine
			i = s.findPause(p)
		}
		if i < 0 {
			return "was not paused"
		}
		if req.DryRun {
			return "would be resumed"
		}
		since := s.now.Sub(s.pauses[i].At)
		// A new list: answers point into the former one.
		s.pauses = slices.Concat(s.pauses[:i], s.pauses[i+1:])
		s.changePauses(candor.EventResumed, fmt.Sprintf("%s resumed%s after %s", sayScope(p), byWhom(req.By), candor.ShortDuration(since)))
		return "resumed"
	})
}

func (s *State) eachPause(req candor.ChangeRequest, do func(candor.Pause) string) (candor.ChangeReply, error) {
	ts, err := s.targets(req.Targets)
	if err != nil {
		return candor.ChangeReply{}, err
	}
	for _, t := range ts {
		if t.task != nil {
			return candor.ChangeReply{}, candor.Errorf(candor.CodeInvalid, "%s is a task: pause its batch, its class, a worker or all", t.text)
		}
		if req.Quarantine && t.worker == nil {
			return candor.ChangeReply{}, candor.Errorf(candor.CodeInvalid, "%s is not a worker: only workers are quarantined", t.text)
		}
	}
	if req.Quarantine && req.Why == "" {
		return candor.ChangeReply{}, &candor.Error{Code: candor.CodeInvalid, Message: "a quarantine says why", Hint: "candor worker quarantine WORKER --why REASON"}
	}
	var reply candor.ChangeReply
	for _, t := range ts {
		p := candor.Pause{By: req.By, Why: req.Why, At: s.now}
		ch := candor.Changed{Target: t.text}
		switch {
		case t.all:
			p.Scope = "all"
			ch.Tasks = s.counts[queued]
		case t.class != "":
			p.Scope, p.Target = "class", string(t.class)
		case t.worker != nil:
			p.Scope, p.Target = "worker", t.worker.info.Name
			if req.Quarantine {
				p.Scope = candor.ScopeQuarantine
			}
		case t.batch != nil:
			p.Scope, p.Target = "batch", t.batch.rec.ID.String()
			ch.Batch, ch.Tasks = t.batch.rec.ID, t.batch.counts[queued]
		}
		ch.Text = sayScope(p) + " " + do(p)
		reply.Changed = append(reply.Changed, ch)
	}
	return reply, nil
}

func (s *State) findPause(p candor.Pause) int {
	return slices.IndexFunc(s.pauses, func(o candor.Pause) bool { return o.Scope == p.Scope && o.Target == p.Target })
}

func (s *State) changePauses(code candor.EventCode, text string) {
	s.changes.PausesSet = true
	s.ready++
	s.event(&candor.Event{Level: candor.LevelInfo, Code: code, Text: text})
	s.indexPauses()
}

// indexPauses spreads the list of pauses to where they bear.
func (s *State) indexPauses() {
	s.round++
	held := map[string]*candor.Pause{}
	s.allPause = nil
	clear(s.classPause)
	for _, w := range s.roster {
		w.paused, w.quarantined = nil, nil
	}
	for i := range s.pauses {
		p := &s.pauses[i]
		switch p.Scope {
		case "all":
			s.allPause = p
		case "class":
			s.classPause[candor.Class(p.Target)] = p
		case "worker":
			if w := s.workers[p.Target]; w != nil {
				w.paused = p
			}
		case candor.ScopeQuarantine:
			if w := s.workers[p.Target]; w != nil {
				w.quarantined = p
			}
		case "batch":
			held[p.Target] = p
		}
	}
	for _, b := range s.order {
		was := b.pause != nil
		b.pause = held[b.rec.ID.String()]
		switch is := b.pause != nil; {
		case is && !was:
			s.hold(b)
		case was && !is:
			s.release(b)
		}
	}
}

func sayScope(p candor.Pause) string {
	switch p.Scope {
	case "all":
		return "everything"
	case candor.ScopeQuarantine:
		return "quarantined worker " + p.Target
	}
	return p.Scope + " " + p.Target
}

func sayPause(p *candor.Pause) string {
	if p == nil {
		return "not paused"
	}
	return sayStopped("paused", p)
}

// sayDrain is who drains a worker; nil: an earlier version did not say.
func sayDrain(p *candor.Pause) string {
	if p == nil {
		return "drained"
	}
	return sayStopped("drained", p)
}

func sayStopped(how string, p *candor.Pause) string {
	return how + " by " + cmp.Or(p.By, "somebody") + " at " + candor.FormatTime(p.At) + because(p.Why)
}

// scopeArg is how a pause's target is written on the command line.
func scopeArg(p candor.Pause) string {
	switch p.Scope {
	case "all":
		return "all"
	case "batch":
		return p.Target
	case candor.ScopeQuarantine:
		return "worker:" + p.Target
	default:
		return p.Scope + ":" + p.Target
	}
}

// drain lets workers finish what they run and take nothing new, or undoes it.
func (s *State) drain(req candor.ChangeRequest, on bool) (candor.ChangeReply, error) {
	ts, err := s.targets(req.Targets)
	if err != nil {
		return candor.ChangeReply{}, err
	}
	var ws []*worker
	for _, t := range ts {
		switch {
		case t.all:
			ws = append(ws, s.roster...)
		case t.worker != nil:
			ws = append(ws, t.worker)
		default:
			return candor.ChangeReply{}, candor.Errorf(candor.CodeInvalid, "%s is not a worker: only workers are drained", t.text)
		}
	}
	var reply candor.ChangeReply
	for _, w := range ws {
		ch := candor.Changed{Target: "worker:" + w.info.Name, Pending: len(w.running)}
		verb := yesNo(on, "drains: it takes nothing new", "takes work again")
		if w.draining == on {
			verb = yesNo(on, "drains already: "+sayDrain(w.drain), "was not draining")
		}
		ch.Text = fmt.Sprintf("%s %s; %s running", w.info.Name, verb, count(len(w.running), "task"))
		if w.draining != on && !req.DryRun {
			w.draining, w.drain = on, nil
			if on {
				w.drain = &candor.Pause{Scope: candor.ScopeDrain, Target: w.info.Name, By: req.By, Why: req.Why, At: s.now}
			}
			s.ready++
			s.round++
			s.touchWorker(w)
			s.event(&candor.Event{
				Level: candor.LevelInfo, Code: candor.EventWorkerDrain, Worker: w.info.Name,
				Text: fmt.Sprintf("Worker %s %s%s%s", w.info.Name, verb, byWhom(req.By), because(req.Why)),
			})
		}
		reply.Changed = append(reply.Changed, ch)
	}
	return reply, nil
}
