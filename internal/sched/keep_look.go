package sched

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"candor"
)

// card is a worker's card in one look at whom room is to be kept for.
type card struct {
	w     *worker
	have  Have
	room  candor.Bytes // what is free once all has ended that can
	taken bool         // who goes first there is settled
	kept  *kept
}

// keepRoom settles on which cards room is kept, and for whom: shapes in order of
// rank, each on the cards of which nobody before it is the first.
func (s *State) keepRoom() {
	if !s.keepAt.IsZero() && s.now.Sub(s.keepAt) < keepEvery {
		return
	}
	s.keepAt = s.now
	shapes := s.wantRoom()
	if len(shapes) == 0 && len(s.keeps) == 0 {
		return
	}
	cards := s.cards()
	asks := 0
	for _, sh := range shapes {
		if asks > keepAsks {
			break
		}
		asks += s.keepFor(sh, cards)
	}
	s.settleKeeps(cards)
}

// wantRoom are the shapes whose tasks reserve memory of a card, by rank; none
// if nobody has waited long enough, or no such task runs that could end.
func (s *State) wantRoom() []*shape {
	var list []*shape
	late := false
	for _, sh := range s.shapeList {
		if sh.ready > 0 && sh.want.VRAM > 0 && sh.want.Class != candor.ClassLLM {
			list = append(list, sh)
			late = late || s.starved(sh)
		}
	}
	running := slices.ContainsFunc(s.roster, func(w *worker) bool { return w.reserved > 0 })
	if len(s.keeps) == 0 && !(late && running) {
		return nil
	}
	slices.SortFunc(list, func(a, b *shape) int {
		if a.head().before(b.head()) {
			return -1
		}
		return 1
	})
	return list
}

// starved tells whether nothing of a shape has begun for so long that room is kept
// for its first. An order has a worker that it is waited for: at once.
func (s *State) starved(sh *shape) bool {
	since := fromMicro(sh.head().queuedAt)
	if sh.last.at.After(since) {
		since = sh.last.at
	}
	return sh.want.Order != nil || s.now.Sub(since) >= keepAfter
}

// cards are those of the workers that ask for work.
func (s *State) cards() []*card {
	wanted := map[string]bool{}
	for _, sh := range s.shapeList {
		if sh.want.Class == candor.ClassLLM && sh.ready+sh.backoff > 0 {
			wanted[sh.want.Model] = true
		}
	}
	var out []*card
	for _, w := range s.roster {
		if w.info.GPU == nil || !w.present() || w.silent {
			continue
		}
		c := &card{w: w, have: s.have(w)}
		c.have.Kept = nil
		c.room = c.have.Free + w.reserved
		for i := range c.have.Models { // those give way to a task that needs their room
			if m := &c.have.Models[i]; m.InUse == 0 && !wanted[candor.ModelName(m.Name)] && !usedBy(w, m.Name) {
				c.room += m.VRAM
			}
		}
		out = append(out, c)
	}
	return out
}

// keepFor looks for room for the first task of a shape, and returns how many
// cards it asked.
func (s *State) keepFor(sh *shape, cards []*card) int {
	if s.keepOn(sh, cards) {
		return 1
	}
	asked := 0
	var held []*card
	for _, c := range cards {
		if c.taken || sh.want.Worker != "" && sh.want.Worker != c.w.info.Name {
			continue
		}
		asked++
		switch code, _ := Eligible(&sh.want, &c.have, nil); {
		case code == "" || code == candor.ReasonBusy:
			c.taken = true // it takes it, with the next slot that is free
			return asked
		case code == candor.ReasonVRAMHeld && c.needs(&sh.want) <= c.room:
			held = append(held, c)
		}
	}
	if len(held) > 0 && s.starved(sh) {
		c := slices.MinFunc(held, func(a, b *card) int { return cmp.Compare(a.needs(&sh.want)-a.have.Free, b.needs(&sh.want)-b.have.Free) })
		c.taken, c.kept = true, &kept{task: sh.head(), need: c.needs(&sh.want), since: s.now}
		return asked
	}
	for _, c := range held {
		c.taken = true // for nobody behind it
	}
	return asked
}

// keepOn goes on keeping room for the first task of a shape where it is kept.
func (s *State) keepOn(sh *shape, cards []*card) bool {
	t := sh.head()
	i := slices.IndexFunc(s.keeps, func(w *worker) bool { return w.kept.task == t })
	if i < 0 {
		return false
	}
	w := s.keeps[i]
	for _, c := range cards {
		if c.w != w || c.taken {
			continue
		}
		code, _ := Eligible(&sh.want, &c.have, nil)
		if code == "" || code == candor.ReasonBusy || code == candor.ReasonVRAMHeld && s.worthKeeping(w.kept, w) {
			c.kept, c.taken = w.kept, true
			return true
		}
	}
	return false
}

// needs is how much of a card has to be free for a want.
func (c *card) needs(w *Want) candor.Bytes { return w.VRAM - c.have.makesRoom(w.Order) }

// worthKeeping tells whether what stands in the way may still end.
func (s *State) worthKeeping(k *kept, w *worker) bool {
	if w.older(k.since) > 0 {
		return true
	}
	if k.drained.IsZero() {
		k.drained = s.now
	}
	return s.now.Sub(k.drained) < keepGrace
}

// settleKeeps puts in force what a look has found, and tells of what is new.
func (s *State) settleKeeps(cards []*card) {
	before := map[*worker]*kept{}
	for _, w := range s.keeps {
		before[w], w.kept = w.kept, nil
	}
	s.keeps = nil
	for _, c := range cards {
		if c.kept == nil {
			continue
		}
		c.w.kept = c.kept
		s.keeps = append(s.keeps, c.w)
		if before[c.w] != c.kept {
			s.tellKept(c)
		}
	}
	for w, k := range before { // a count: in any order
		if w.kept != k {
			s.ready++ // what was refused there may go now
		}
	}
}

func (s *State) tellKept(c *card) {
	t := c.kept.task
	waits := candor.ShortDuration(s.now.Sub(fromMicro(t.queuedAt)).Truncate(time.Second))
	s.event(&candor.Event{
		Level: candor.LevelInfo, Code: candor.EventRoomKept, Worker: c.w.info.Name, Batch: t.batch().rec.ID, Task: t.id,
		Class: t.step.spec.Class, Reason: candor.ReasonVRAMKept,
		Text: fmt.Sprintf("Room on %s is kept for task %s (%s): it goes first, needs %s of which %s is free, and waits for %s",
			c.w.info.Name, t.id, t.name(), c.kept.need, c.have.Free, waits),
	})
}
