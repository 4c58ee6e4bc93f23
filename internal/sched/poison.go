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
			s.withdraw(t)
			s.cleared(t)
			s.touch(t)
			s.enqueue(t)
		}
	}
}

// cleared takes the suspicion off a task, and lets it go back to whom it avoided
// for that.
func (s *State) cleared(t *task) {
	p := t.history()
	p.avoid = slices.DeleteFunc(slices.Clone(p.avoid), func(name string) bool { return slices.Contains(p.downed, name) })
	if len(p.avoid) == 0 {
		p.avoid = nil
	}
	p.downed, p.doubt, p.notBefore, p.reason = nil, false, fromMicro(0), nil
}

// poisonous notes that a worker died under a task, and tells whether the task
// is to blame: several different workers died under it, and no worker died
// without it in between. A bad night kills workers whatever they run, so a first
// death shortly after another worker's takes one more to prove anything. Where
// nobody else could take the task, each process of the same worker counts.
func (s *State) poisonous(t *task, name string) bool {
	p := t.history()
	another := p.lastDeath == 0 || p.lastDeath != s.deaths-1 // under which the death before this one happened
	p.lastDeath = s.deaths
	if len(p.downed) == 0 || s.deaths-p.deathMark > int(p.under)+1 {
		p.downed, p.under, p.deathMark = nil, 0, s.deaths-1
		p.doubt = another && s.badNight
	}
	p.under++
	if !slices.Contains(p.downed, name) || !s.otherSoon(t, p.downed) {
		p.downed = append(p.downed, name)
	}
	return s.moreDeaths(p) <= 0
}

// moreDeaths is how many workers more have to die under a task to prove it.
func (s *State) moreDeaths(p *past) int {
	if p.doubt {
		return s.cfg.Poison + 1 - len(p.downed)
	}
	return s.cfg.Poison - len(p.downed)
}

// otherSoon tells whether another worker than those named could ever take a task,
// of those that are there or about to be again.
func (s *State) otherSoon(t *task, names []string) bool {
	want := WantOf(t.step.spec, nil)
	return slices.ContainsFunc(s.roster, func(w *worker) bool {
		return !slices.Contains(names, w.info.Name) && (w.present() || s.returns(w)) && s.couldEver(&want, w)
	})
}

// suspect holds back a task under which a worker has just died. If workers go
// on dying without it meanwhile, it is cleared; if nothing else dies until it
// runs again and it takes the next one down too, the blame is its own. The next
// one is another worker where there is one: that proves more, and sooner.
func (s *State) suspect(t *task, worker string) {
	p := t.past
	if len(p.downed) == 0 || p.doubt && len(p.downed) == 1 || s.cfg.PoisonHold <= 0 {
		return
	}
	s.withdraw(t)
	if s.otherSoon(t, p.downed) && !slices.Contains(p.avoid, worker) {
		p.avoid = slices.Sorted(slices.Values(append(slices.Clip(p.avoid), worker)))
	}
	p.notBefore = s.now.Add(s.cfg.PoisonHold)
	p.reason = candor.NewReason(candor.ReasonSuspect, fmt.Sprintf("held back until %s: %s died under it; if %s does, it is set aside",
		candor.FormatTime(p.notBefore), sayDowned(p.downed), nth(s.moreDeaths(p)))).
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

// sayDowned names the workers that died under a task, in order of their first
// deaths: w1 twice, w2.
func sayDowned(names []string) string {
	deaths := map[string]int{}
	var parts []string
	for _, name := range names {
		if deaths[name]++; deaths[name] == 1 {
			parts = append(parts, name)
		}
	}
	for i, name := range parts {
		switch n := deaths[name]; {
		case n == 2:
			parts[i] += " twice"
		case n > 2:
			parts[i] += fmt.Sprintf(" %d times", n)
		}
	}
	return strings.Join(parts, ", ")
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
		count(len(p.downed), "worker"), sayDowned(p.downed))).With("workers", slices.Clone(p.downed)).
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
