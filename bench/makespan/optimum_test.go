package main

import "time"

// moment is all that matters of a schedule at an instant.
type moment struct {
	done  uint8 // tasks begun, as bits; one that runs is in its card's run
	cards [3]cardAt
}

type cardAt struct {
	held uint8 // models, as bits
	load int8  // model+1 under way
	left int8  // seconds of the disk that it still needs
	busy int8  // model+1 of the task that runs
	run  int8  // seconds that it still takes
}

// optimum is the least number of seconds that a schedule takes, by trying all of
// them second by second. All durations are whole seconds, so that the best
// schedule needs to decide at whole seconds only: a task, a load, and a disk that
// is given to one load after the other rather than shared, since that ends none
// of them later than sharing does.
func optimum(in *instance) int {
	all := uint8(1)<<len(in.tasks) - 1
	here := map[moment]bool{{}: true}
	for t := 0; ; t++ {
		next := map[moment]bool{}
		for m := range here {
			if m.done == all && idle(&m) {
				return t
			}
			s := &search{in: in, t: t, out: next}
			s.decide(m, 0)
		}
		here = next
	}
}

func idle(m *moment) bool {
	for i := range m.cards {
		if m.cards[i].run > 0 {
			return false
		}
	}
	return true
}

type search struct {
	in  *instance
	t   int
	out map[moment]bool
}

func (s *search) there(w int) bool {
	c := &s.in.cards[w]
	return s.t >= secs(c.joins) && (c.dies == 0 || s.t < secs(c.dies))
}

// decide tries all that card w, and those behind it, could begin now.
func (s *search) decide(m moment, w int) {
	if w == len(s.in.cards) {
		s.read(m, 0)
		return
	}
	if !s.there(w) {
		m.cards[w] = cardAt{}
		s.decide(m, w+1)
		return
	}
	s.loads(m, w)
	if m.cards[w].run > 0 {
		return
	}
	for i, t := range s.in.tasks {
		c := &s.in.cards[w]
		if m.done>>i&1 == 1 || s.t < secs(t.at) || m.cards[w].held>>t.model&1 == 0 {
			continue
		}
		if c.dies > 0 && s.t+secs(t.takes) > secs(c.dies) || s.twin(m.done, i) {
			continue
		}
		n := m
		n.done |= 1 << i
		n.cards[w].busy, n.cards[w].run = int8(t.model+1), int8(secs(t.takes))
		s.loads(n, w)
	}
}

// twin tells whether an equal task in front is still to do: one of them will do.
func (s *search) twin(done uint8, i int) bool {
	for j := range i {
		if done>>j&1 == 0 && s.in.tasks[j] == s.in.tasks[i] {
			return true
		}
	}
	return false
}

// loads tries to begin no load, and each one, with each way to make room.
func (s *search) loads(m moment, w int) {
	s.decide(m, w+1)
	c := m.cards[w]
	if c.load > 0 {
		return
	}
	for l := range s.in.models {
		if c.held>>l&1 == 1 {
			continue
		}
		for keep := c.held; ; keep = (keep - 1) & c.held {
			inUse := c.busy == 0 || keep>>(c.busy-1)&1 == 1
			if inUse && s.fits(keep|1<<l, w) {
				n := m
				n.cards[w].held, n.cards[w].load, n.cards[w].left = keep, int8(l+1), int8(secs(s.in.cards[w].loads[l]))
				s.decide(n, w+1)
			}
			if keep == 0 {
				break
			}
		}
	}
}

func (s *search) fits(models uint8, w int) bool {
	free := s.in.cards[w].size
	for l := range s.in.models {
		if models>>l&1 == 1 {
			free -= s.in.models[l].size
		}
	}
	return free >= 0
}

// read gives each host's disk to each of its loads under way, for a second.
func (s *search) read(m moment, host int) {
	if host == 2 {
		s.pass(m)
		return
	}
	any := false
	for w := range s.in.cards {
		if s.in.cards[w].host == host && m.cards[w].load > 0 {
			any = true
			n := m
			n.cards[w].left--
			s.read(n, host+1)
		}
	}
	if !any {
		s.read(m, host+1)
	}
}

// pass lets a second pass.
func (s *search) pass(m moment) {
	for w := range s.in.cards {
		c := &m.cards[w]
		if c.load > 0 && c.left == 0 {
			c.held |= 1 << (c.load - 1)
			c.load = 0
		}
		if c.run > 0 {
			if c.run--; c.run == 0 {
				c.busy = 0
			}
		}
	}
	s.out[m] = true
}

func secs(d time.Duration) int { return int(d / time.Second) }
