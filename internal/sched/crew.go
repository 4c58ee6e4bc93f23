package sched

import (
	"slices"
	"time"

	"candor"
)

// crew is the part of a demand that the same models serve: tasks that accept the
// same others in the model's place, with a context of the same length. Who holds
// one that only some tasks accept, or holds the model with a context too short
// for some, is there for a part of the demand and not for the rest.
type crew struct {
	want   *Want
	queued int
	shapes []*shape
	there  []*worker // they take tasks, and what serves is ready there, being loaded, or ordered for there
	open   int       // orders for whoever takes them, if somebody could

	orphans []*shape // that none of the first askedOf who are there may take
	askedOf int
	asked   bool
}

// hands is how many workers do the work of a crew, or are about to.
func (c *crew) hands() int { return len(c.there) + c.open }

// crewOf is the crew of a shape, made on first sight.
func (d *demand) crewOf(sh *shape) *crew {
	for _, c := range d.crews {
		if c.want.Context == sh.want.Context && slices.Equal(c.want.Accept, sh.want.Accept) {
			return c
		}
	}
	c := &crew{want: &sh.want}
	d.crews = append(d.crews, c)
	return c
}

// hands is how many workers do the work, or are about to, where they are fewest.
func (d *demand) hands() int {
	if len(d.crews) == 0 {
		return 0
	}
	return slices.MinFunc(d.crews, func(a, b *crew) int { return a.hands() - b.hands() }).hands()
}

// lasts is how long the work takes those who are there for it.
func (d *demand) lasts() time.Duration {
	if d.hands() == 0 {
		return 1<<63 - 1
	}
	longest := d.work() / time.Duration(len(d.holders)+d.open)
	for _, c := range d.crews {
		longest = max(longest, time.Duration(c.queued)*d.run/time.Duration(c.hands()))
	}
	return longest
}

// lacks tells whether so much work, shared among so many hands, lasts longer than
// one more load. A margin keeps guesses from deciding what is even.
func (d *demand) lacks(work time.Duration, hands int) bool {
	return hands == 0 || work > time.Duration(hands)*(d.load+d.load/20)
}

// lacksHands tells whether the whole of the work does.
func (d *demand) lacksHands() bool { return d.lacks(d.work(), len(d.holders)+d.open) }

// servedBy tells whether a worker is there for all of a demand.
func (d *demand) servedBy(w *worker) bool {
	return len(d.crews) > 0 && !slices.ContainsFunc(d.crews, func(c *crew) bool { return !slices.Contains(c.there, w) })
}

// muster finds out what a worker is there for. What stalls is no help: an order
// that cannot be taken, a load that hangs.
func (d *demand) muster(s *State, w *worker, have *Have) {
	order := s.ordered(d.model, w)
	if order != nil && s.stalled(order, w) {
		order = nil
	}
	loads := !slices.ContainsFunc(w.running, func(t *task) bool { return t.isOrder() && s.hangs(t) })
	for _, c := range d.crews {
		if have.serves(c.want) != nil || order != nil && order.loadsFor(c.want) ||
			order == nil && loads && have.loading(c.want) {
			c.there = append(c.there, w)
		}
	}
	if slices.ContainsFunc(d.crews, func(c *crew) bool { return slices.Contains(c.there, w) }) {
		d.holders = append(d.holders, w)
	}
	bare := Want{Class: candor.ClassLLM, Model: d.model}
	if order != nil || have.serves(&bare) != nil || loads && have.loading(&bare) {
		d.owners = append(d.owners, w)
	}
}

// expects counts an order that was made: for a worker, or for whoever takes it.
func (d *demand) expects(t *task, w *worker) {
	if w == nil {
		d.open++
	} else {
		d.owners = addWorker(d.owners, w)
		d.holders = addWorker(d.holders, w)
	}
	for _, c := range d.crews {
		switch {
		case !t.loadsFor(c.want):
		case w == nil:
			c.open++
		default:
			c.there = addWorker(c.there, w)
		}
	}
}

// loadsFor tells whether an order loads a model with a context long enough; what
// its server takes by itself is seen when it is there.
func (t *task) loadsFor(w *Want) bool {
	o := t.step.spec.Order
	return o.Context == 0 || o.Context >= w.Context
}

func addWorker(list []*worker, w *worker) []*worker {
	if slices.Contains(list, w) {
		return list
	}
	return append(list, w)
}
