package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// rig is what is true of cards and disks, for every policy alike:
//
//   - a card runs one task at a time, to its end, and only with its model in memory;
//   - it loads one model at a time. What runs may go on meanwhile, if both models
//     fit; what is pushed out for the load goes when the load begins;
//   - the loads under way on one host share its disk evenly;
//   - a card that dies loses what it runs and what it holds.
type rig struct {
	agenda

	in    *instance
	gpus  []*gpu
	disks map[int]*disk
	left  int // tasks that are not done
	loads int
	done  []bool
	end   time.Duration // when the last task was done
}

// gpu is a card in a run.
type gpu struct {
	index   int
	spec    *card
	alive   bool
	life    int   // grows when it dies: what it had ahead is void
	held    []int // models in memory, the one used last behind
	running int   // task; -1: none
	loading int   // model; -1: none
	account account
	since   time.Duration // of the present entry of the account
}

// account is where the time of cards went.
type account struct{ busy, loading, idle time.Duration }

func (a account) sum() time.Duration { return a.busy + a.loading + a.idle }

func newRig(in *instance) *rig {
	r := &rig{in: in, disks: map[int]*disk{}, left: len(in.tasks), done: make([]bool, len(in.tasks))}
	for i := range in.cards {
		c := &in.cards[i]
		r.gpus = append(r.gpus, &gpu{index: i, spec: c, running: -1, loading: -1, since: c.joins})
		if r.disks[c.host] == nil {
			r.disks[c.host] = &disk{rig: r}
		}
	}
	return r
}

// limit is a time after which a policy counts as stuck.
const limit = 7 * 24 * time.Hour

// play lets things happen until every task is done.
func (r *rig) play() error {
	for r.left > 0 {
		if len(r.ahead) == 0 || r.now > limit {
			return fmt.Errorf("stuck after %s with %d tasks", r.now, r.left)
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	for _, g := range r.gpus {
		if g.alive {
			r.book(g)
		}
	}
	return nil
}

// book enters the time since the last entry, before a card's state changes.
func (r *rig) book(g *gpu) {
	d := r.now - g.since
	g.since = r.now
	switch {
	case g.running >= 0:
		g.account.busy += d
	case g.loading >= 0:
		g.account.loading += d
	default:
		g.account.idle += d
	}
}

func (r *rig) join(g *gpu) { g.alive, g.since = true, r.now }

// die ends a card. It returns the task that is lost; -1: none.
func (r *rig) die(g *gpu) int {
	r.book(g)
	lost := g.running
	g.alive, g.running, g.loading, g.held = false, -1, -1, nil
	g.life++
	r.disks[g.spec.host].drop(g)
	return lost
}

func (g *gpu) holds(m int) bool { return slices.Contains(g.held, m) }

// used moves a model behind those that were used less recently.
func (g *gpu) used(m int) {
	i := slices.Index(g.held, m)
	g.held = append(slices.Delete(g.held, i, i+1), m)
}

// start runs a task. then is called when it is done.
func (r *rig) start(g *gpu, t int, then func() error) error {
	m := r.in.tasks[t].model
	switch {
	case !g.alive || g.running >= 0:
		return fmt.Errorf("card %d is not free to run task %d", g.index, t)
	case !g.holds(m):
		return fmt.Errorf("card %d does not hold %s", g.index, r.in.models[m].name)
	case r.done[t]:
		return fmt.Errorf("task %d was done before", t)
	}
	r.book(g)
	g.running = t
	g.used(m)
	r.of(g, r.in.tasks[t].takes, func() error {
		r.book(g)
		g.running = -1
		g.used(m)
		r.done[t] = true
		r.left--
		r.end = r.now
		return then()
	})
	return nil
}

// of puts something on the agenda that is void once the card has died.
func (r *rig) of(g *gpu, d time.Duration, do func() error) {
	life := g.life
	r.after(d, func() error {
		if g.life != life {
			return nil
		}
		return do()
	})
}

// load brings a model onto a card, from which the models evict go first. then is
// called when it is there.
func (r *rig) load(g *gpu, m int, evict []int, then func() error) error {
	if !g.alive || g.loading >= 0 || g.holds(m) {
		return fmt.Errorf("card %d cannot load %s now", g.index, r.in.models[m].name)
	}
	for _, e := range evict {
		if err := r.unload(g, e); err != nil {
			return err
		}
	}
	if r.free(g) < int64(r.in.models[m].size) {
		return fmt.Errorf("%s does not fit on card %d: %w", r.in.models[m].name, g.index, errNoRoom)
	}
	r.book(g)
	g.loading = m
	r.loads++
	r.disks[g.spec.host].read(g, g.spec.loads[m], func() error {
		r.book(g)
		g.loading = -1
		g.held = append(g.held, m)
		return then()
	})
	return nil
}

var errNoRoom = errors.New("no room")

// free is what a card has left, in bytes, besides what it holds and loads.
func (r *rig) free(g *gpu) int64 {
	free := int64(g.spec.size)
	for _, m := range g.held {
		free -= int64(r.in.models[m].size)
	}
	if g.loading >= 0 {
		free -= int64(r.in.models[g.loading].size)
	}
	return free
}

func (r *rig) unload(g *gpu, m int) error {
	if g.running >= 0 && r.in.tasks[g.running].model == m {
		return fmt.Errorf("card %d runs a task on %s, which is to go", g.index, r.in.models[m].name)
	}
	g.held = slices.DeleteFunc(g.held, func(o int) bool { return o == m })
	return nil
}
