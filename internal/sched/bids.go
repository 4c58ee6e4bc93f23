package sched

import (
	"slices"
	"time"

	"candor"
)

// bids are the workers' offers to load one demand's model, asked once in a look.
//
// Within a look every answer of the rules can only turn from yes to no: orders
// are made and none ends, hands and loads grow, and what is queued, loaded or
// failed stays. So who was refused need not be asked again, and who would lose
// least is found at the front.
type bids struct {
	open  []*offer // that were let in, who would lose least first
	wrong []*offer // refused by a back-off or a hold: an order for anybody may end up there
}

// bids asks everybody, the first time. Who has an order is refused in any case.
func (l *look) bids(d *demand) *bids {
	if d.bids != nil {
		return d.bids
	}
	b := &bids{}
	for _, w := range l.s.roster {
		if l.underWay(w) != nil {
			continue
		}
		o := l.offer(d, w)
		switch code, _ := o.ask(nil); code {
		case "":
			b.open = append(b.open, o)
		case candor.ReasonPlaceBackoff, candor.ReasonPlaceHold:
			b.wrong = append(b.wrong, o)
		}
	}
	slices.SortStableFunc(b.open, (*offer).compare) // equals in order of the roster
	d.bids = b
	return b
}

// first is the offer of who would lose least, or nil.
func (b *bids) first() *offer {
	for len(b.open) > 0 {
		o := b.open[0]
		if o.underWay() == nil { // mostly it has got another order
			if code, _ := o.ask(nil); code == "" {
				return o
			}
		}
		b.open = b.open[1:]
	}
	return nil
}

// others tells whether somebody but o could take the order too with nothing in
// memory, and nobody could who is not to have it.
func (b *bids) others(o *offer) bool {
	for len(b.wrong) > 0 {
		switch code, _ := b.wrong[0].ask(nil); code {
		case candor.ReasonPlaceBackoff, candor.ReasonPlaceHold:
			return false
		}
		b.wrong = b.wrong[1:]
	}
	for i := 0; i < len(b.open); i++ {
		p := b.open[i]
		if p == o || len(p.have.Models) > 0 || len(p.evict) > 0 {
			continue
		}
		if code, _ := p.ask(nil); code == "" {
			return true
		}
		b.open = slices.Delete(b.open, i, i+1)
		i--
	}
	return false
}

// closed tells whether the rules about the demand itself are against every
// worker, so that none need be asked.
func (l *look) closed(d *demand) bool {
	limit := l.s.cfg.Placement.MaxHot
	if limit > 0 && len(d.owners)+d.open >= limit {
		// Who has it already, and serves but a part, may load it anew.
		return !slices.ContainsFunc(d.owners, func(w *worker) bool { return !d.servedBy(w) })
	}
	return !d.lacksHands() && !slices.ContainsFunc(d.crews, func(c *crew) bool {
		return d.lacks(time.Duration(c.queued)*d.run, c.hands()) || c.open == 0 && len(l.orphans(c)) > 0
	})
}

// orphans are the shapes of a crew that nobody who is there for it may take.
func (l *look) orphans(c *crew) []*shape {
	if !c.asked {
		c.asked, c.orphans = true, slices.Clone(c.shapes)
	}
	for ; c.askedOf < len(c.there); c.askedOf++ {
		have := l.have(c.there[c.askedOf])
		c.orphans = slices.DeleteFunc(c.orphans, func(sh *shape) bool { return have.mayTake(&sh.want) })
	}
	return c.orphans
}
