package main

import "slices"

// firstCome hands tasks out in the order in which they came, to any free card:
// one that holds the model if there is one, else the one that was free longest,
// which pushes out what it used least recently until the model fits.
type firstCome struct {
	*rig
	queue []int
	free  []*gpu       // the one that is free for longest in front
	wants map[*gpu]int // the task for which a card loads
}

func runFirstCome(in *instance) (*rig, error) {
	p := &firstCome{rig: newRig(in), wants: map[*gpu]int{}}
	for _, g := range p.gpus {
		p.at(g.spec.joins, func() error {
			p.join(g)
			return p.idle(g)
		})
		if g.spec.dies > 0 {
			p.at(g.spec.dies, func() error { return p.fall(g) })
		}
	}
	for t := range in.tasks {
		p.at(in.tasks[t].at, func() error {
			p.queue = append(p.queue, t)
			return p.assign()
		})
	}
	return p.rig, p.play()
}

func (p *firstCome) idle(g *gpu) error {
	p.free = append(p.free, g)
	return p.assign()
}

// fall ends a card. What it had taken goes back to the front.
func (p *firstCome) fall(g *gpu) error {
	p.free = slices.DeleteFunc(p.free, func(o *gpu) bool { return o == g })
	lost := p.die(g)
	if t, ok := p.wants[g]; ok {
		lost = t
	}
	if lost >= 0 {
		p.queue = slices.Insert(p.queue, 0, lost)
	}
	return p.assign()
}

func (p *firstCome) assign() error {
	for len(p.queue) > 0 && len(p.free) > 0 {
		t := p.queue[0]
		m := p.in.tasks[t].model
		i := max(0, slices.IndexFunc(p.free, func(g *gpu) bool { return g.holds(m) }))
		g := p.free[i]
		p.queue, p.free = p.queue[1:], slices.Delete(p.free, i, i+1)
		run := func() error {
			delete(p.wants, g)
			return p.start(g, t, func() error { return p.idle(g) })
		}
		var err error
		if g.holds(m) {
			err = run()
		} else {
			p.wants[g] = t
			err = p.load(g, m, p.leastUsed(g, m), run)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leastUsed are the models that a card pushes out to make room for another.
func (p *firstCome) leastUsed(g *gpu, m int) []int {
	free := p.rig.free(g)
	for i, e := range g.held {
		if free >= int64(p.in.models[m].size) {
			return slices.Clone(g.held[:i])
		}
		free += int64(p.in.models[e].size)
	}
	return slices.Clone(g.held)
}
