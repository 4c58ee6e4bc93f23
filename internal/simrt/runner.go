package simrt

import (
	"slices"
	"time"
)

// settings are what a runner is loaded with; a request with others reloads.
type settings struct {
	context int
	layers  int // -1: as many as fit
	threads int
}

// runner is a model in memory, with the process that a real server has for it.
type runner struct {
	model    Model    // immutable
	settings settings // immutable
	size     int64    // immutable
	vram     int64    // immutable
	slow     bool     // immutable: not all of it is in VRAM
	listed   time.Time

	// The rest is guarded by the server's mu.
	loading bool
	active  int
	used    time.Time
	expires time.Time     // zero while loading
	dead    chan struct{} // closed when its process was killed
	thawed  chan struct{} // open while its process is frozen
}

func (r *runner) isDead() bool {
	select {
	case <-r.dead:
		return true
	default:
		return false
	}
}

// draining: asked to leave while busy.
func (r *runner) draining(now time.Time) bool { return !r.loading && r.expires.Before(now) }

// expire drops the idle whose time is over. The caller holds mu.
func (s *Server) expire() {
	now := s.clk.Now()
	for name, r := range s.loaded {
		if r.active == 0 && r.draining(now) {
			delete(s.loaded, name)
			s.tell()
		}
	}
}

// residents are the runners that a list shows, by name. Those that have just
// begun to load are not among them. The caller holds mu.
func (s *Server) residents() []*runner {
	s.expire()
	now := s.clk.Now()
	var all []*runner
	for _, r := range s.loaded {
		if !r.loading || !now.Before(r.listed) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *runner) int {
		if a.model.Name < b.model.Name {
			return -1
		}
		return 1
	})
	return all
}

// leastUsed is the idle runner that was used longest ago. The caller holds mu.
func (s *Server) leastUsed() *runner {
	var victim *runner
	for _, r := range s.residents() {
		if r.loading || r.active > 0 {
			continue
		}
		if victim == nil || r.used.Before(victim.used) {
			victim = r
		}
	}
	return victim
}

// room is the free memory. The caller holds mu.
func (s *Server) room() (vram, ram int64) {
	vram, ram = s.opts.VRAM, s.opts.RAM
	for _, r := range s.loaded {
		vram -= r.vram
		ram -= r.size - r.vram
	}
	return vram, ram
}

// forever is what a negative keep_alive stands for, about three hundred years
// as with Ollama.
const forever = time.Duration(1<<63 - 1)

// keep sets how long an idle runner stays. The caller holds mu.
func (r *runner) keep(now time.Time, d time.Duration) {
	switch {
	case d < 0:
		r.expires = now.Add(forever)
	case d == 0:
		r.expires = now.Add(-time.Nanosecond)
	default:
		r.expires = now.Add(d)
	}
}
