package sched

import (
	"fmt"
	"slices"
	"strings"

	"candor"
)

// died notes the death of a worker. Tasks held back as suspects were not under
// it: it clears them.
func (s *State) died() {
	s.deaths++
	s.badNight = !s.deathAt.IsZero() && s.now.Sub(s.deathAt) < s.cfg.Lost
	s.deathAt = s.now
	held := s.suspects
	s.suspects = nil
	for _, t := range held {
		if t.inBackoff() && len(t.past.downed) > 0 {
			t.past.downed = nil
			s.retryDue(t)
		}
	}
}

// poisonous notes that a worker died under a task, and tells whether the task
// is to blame: several different workers died under it, and no worker died
// without it in between, nor shortly before the first of them. A bad night
// kills workers whatever they run.
func (s *State) poisonous(t *task, name string) bool {
	p := t.history()
	another := p.lastDeath == 0 || p.lastDeath != s.deaths-1 // under which the death before this one happened
	p.lastDeath = s.deaths
	if len(p.downed) == 0 || s.deaths-p.deathMark > int(p.under)+1 {
		p.downed, p.under, p.deathMark = nil, 0, s.deaths-1
		if another && s.badNight {
			return false
		}
	}
	p.under++
	if !slices.Contains(p.downed, name) {
		p.downed = append(p.downed, name)
	}
	return len(p.downed) >= s.cfg.Poison
}

// suspect holds back a task under which a worker has just died. If workers go
// on dying without it meanwhile, it is cleared; if nothing else dies until it
// runs again and it takes the next one down too, the blame is its own.
func (s *State) suspect(t *task) {
	p := t.past
	if len(p.downed) == 0 || s.cfg.PoisonHold <= 0 {
		return
	}
	s.withdraw(t)
	p.notBefore = s.now.Add(s.cfg.PoisonHold)
	p.reason = candor.NewReason(candor.ReasonSuspect, fmt.Sprintf("held back until %s: %s died under it; if %s does, it is set aside",
		candor.FormatTime(p.notBefore), strings.Join(p.downed, ", "), nth(s.cfg.Poison-len(p.downed)))).
		With("workers", slices.Clone(p.downed)).With("not_before", candor.FormatTime(p.notBefore))
	p.reason.Since = s.now
	s.touch(t)
	s.enqueue(t)
	s.suspects = append(s.suspects, t)
	s.event(&candor.Event{
		Level: candor.LevelWarn, Code: candor.EventTaskSuspect, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Class: t.step.spec.Class, Reason: candor.ReasonSuspect, Text: fmt.Sprintf("Task %s (%s) %s", t.id, t.name(), p.reason.Text),
	})
}

func nth(more int) string {
	if more <= 1 {
		return "another one"
	}
	return count(more, "other")
}

func (s *State) setAside(t *task) {
	p := t.history()
	why := candor.NewReason(candor.ReasonPoison, fmt.Sprintf("set aside after %s died under it: %s",
		count(len(p.downed), "worker"), strings.Join(p.downed, ", "))).With("workers", slices.Clone(p.downed)).
		Do(t.lookCloser())
	why.Since = s.now
	p.reason = why
	s.move(t, failed)
	s.event(&candor.Event{
		Level: candor.LevelError, Code: candor.EventTaskPoison, Batch: t.batch().rec.ID, Task: t.id, Attempt: int(t.attempt),
		Class: t.step.spec.Class, Reason: candor.ReasonPoison, Text: fmt.Sprintf("Task %s (%s) %s", t.id, t.name(), why.Text),
	})
	s.taskFinal(t)
}
