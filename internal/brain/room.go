package brain

import (
	"context"
	"slices"

	"candor/internal/sched"
)

// On a full disk a small commit may fit where the next does not: the store's log
// has some room of its own. So the trouble stands until the store says that it
// has ample room again, and till then new work is refused before it is tried:
// what room there is belongs to the results of what runs.

// roomy tells whether there is room for commits of any ordinary size. A store
// that had none is asked again after a while.
func (b *Brain) roomy(ctx context.Context) bool {
	if b.full == nil {
		return true
	}
	now := b.opts.Clock.Now()
	if now.Before(b.cramped.Add(probeEvery)) {
		return false
	}
	if b.opts.Store.Room(ctx) != nil { // the trouble says it already
		b.cramped = now
		return false
	}
	b.full = nil
	return true
}

// turnAway refuses the new work of a round while there is no room for it, and
// returns the rest.
func (b *Brain) turnAway(ctx context.Context, round []*request) []*request {
	if !slices.ContainsFunc(round, adds) {
		return round
	}
	why := b.full
	if b.roomy(ctx) {
		return round
	}
	return slices.DeleteFunc(round, func(r *request) bool {
		if adds(r) {
			refuse([]*request{r}, why)
		}
		return adds(r)
	})
}

// adds tells whether a request brings tasks that were not there before.
func adds(r *request) bool {
	switch r.cmd.(type) {
	case sched.Submit, sched.OrderModel:
		return true
	}
	return false
}
