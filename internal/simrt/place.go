package simrt

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"candor"
)

// refusal is a reply that is not 200.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// acquire gives the caller a slot of a model's runner, loading it first where
// need be and pushing out what is in its way. It waits while others are busy.
// keep counts from here on, so that whoever has read the end of an answer sees
// it in the list. The caller releases it.
func (s *Server) acquire(ctx context.Context, m Model, want settings, keep time.Duration) (*runner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting >= s.opts.Queue {
		return nil, refuse(http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded")
	}
	s.waiting++
	defer func() { s.waiting-- }()
	for {
		r, err := s.step(m, want)
		switch {
		case err != nil:
			return nil, err
		case r != nil && r.loading:
			if err := s.load(ctx, r); err != nil {
				return nil, err
			}
		case r != nil:
			r.active++
			r.used = s.clk.Now()
			if keep != 0 { // to leave at once it must be idle first
				r.keep(r.used, keep)
			}
			return r, nil
		default:
			if err := s.waitForChange(ctx); err != nil {
				return nil, err
			}
		}
	}
}

// step is one look at the state: a runner with a free slot, a new one that the
// caller is to load, or nil when there is nothing to do but wait. The caller
// holds mu.
func (s *Server) step(m Model, want settings) (*runner, error) {
	s.expire()
	if r := s.loaded[m.Name]; r != nil {
		usable := !r.isDead() && r.settings == want && !r.draining(s.clk.Now())
		switch {
		case r.loading, usable && r.active >= s.opts.Slots, !usable && r.active > 0:
			return nil, nil
		case usable:
			return r, nil
		}
		delete(s.loaded, m.Name) // dead, or loaded with other settings
		s.tell()
	}
	size := m.needs(want.context, s.opts.Slots)
	for {
		vram, fits := s.fits(size, want)
		if fits {
			return s.begin(m, want, size, vram), nil
		}
		victim := s.leastUsed()
		switch {
		case victim != nil:
			// Even when that will not be enough: a load that turns out too large
			// has pushed out everything else by then.
			delete(s.loaded, victim.model.Name)
			s.tell()
		case len(s.loaded) > 0:
			return nil, nil // wait for the busy
		default:
			_, ram := s.room()
			return nil, refuse(http.StatusInternalServerError, "model requires more system memory (%s) than is available (%s)",
				candor.Bytes(size), candor.Bytes(s.opts.VRAM+ram))
		}
	}
}

// fits says how much of a new model would go into VRAM, and whether there is
// room now. Only a model that is alone spills. The caller holds mu.
func (s *Server) fits(size int64, want settings) (vram int64, ok bool) {
	if len(s.loaded) >= s.opts.MaxLoaded {
		return 0, false
	}
	freeVRAM, freeRAM := s.room()
	if want.layers != 0 {
		vram = size
	}
	if vram > freeVRAM && len(s.loaded) == 0 {
		vram = freeVRAM
	}
	return vram, vram <= freeVRAM && size-vram <= freeRAM
}

// begin makes a runner that is loading. The caller holds mu.
func (s *Server) begin(m Model, want settings, size, vram int64) *runner {
	slow := vram < size
	if f, ordered := s.strikes(OnCPU, m.Name); ordered {
		vram, slow = int64(float64(size)*f.Share), true
	}
	r := &runner{
		model: m, settings: want, size: size, vram: vram, slow: slow, loading: true,
		listed: s.clk.Now().Add(m.LoadTime / 2), dead: make(chan struct{}), thawed: closed(),
	}
	s.loaded[m.Name] = r
	return r
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// load waits for as long as a load takes. A caller who leaves undoes it. The
// caller holds mu, which is released meanwhile.
func (s *Server) load(ctx context.Context, r *runner) error {
	name, takes := r.model.Name, r.model.LoadTime
	if f, ordered := s.strikes(SlowLoad, name); ordered {
		takes += f.delay()
	}
	err := s.loadFault(r)
	s.mu.Unlock()
	if slept := s.clk.Sleep(ctx, takes); slept != nil {
		err = slept
	}
	s.mu.Lock()
	r.loading = false
	r.keep(s.clk.Now(), defaultKeep)
	if err != nil || s.loaded[name] != r {
		if s.loaded[name] == r {
			delete(s.loaded, name)
		}
		s.tell()
		return err // nil when the server was started anew meanwhile: look again
	}
	r.used = s.clk.Now()
	s.tell()
	return nil
}

// loadFault is why a load will fail, decided when it begins. The caller holds mu.
func (s *Server) loadFault(r *runner) error {
	if r.model.Broken {
		return refuse(http.StatusInternalServerError, "llama runner process has terminated: error loading model: missing tensor 'blk.0.attn_q.weight'")
	}
	if _, ordered := s.strikes(LoadFails, r.model.Name); ordered {
		return refuse(http.StatusInternalServerError, "model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details")
	}
	if _, ordered := s.strikes(NoMemory, r.model.Name); ordered {
		for name, other := range s.loaded {
			if other != r && other.active == 0 {
				delete(s.loaded, name)
			}
		}
		return refuse(http.StatusInternalServerError, "model requires more system memory (%s) than is available (%s)",
			candor.Bytes(2*r.size), candor.Bytes(r.size))
	}
	return nil
}

// release gives a slot back; keep says how long the idle runner stays.
func (s *Server) release(r *runner, keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clk.Now()
	r.active--
	if !r.draining(now) { // an order to leave stands, whoever answers last
		r.keep(now, keep)
	}
	r.used = now
	s.expire()
	s.tell()
}

// dismiss asks a model's runner to leave. A busy one stays until it is idle.
func (s *Server) dismiss(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.loaded[name]; r != nil && !r.loading {
		r.keep(s.clk.Now(), 0)
	}
	s.expire()
}

// tell wakes everybody who waits for a change. The caller holds mu.
func (s *Server) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// waitForChange releases mu while it waits.
func (s *Server) waitForChange(ctx context.Context) error {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-s.dead:
		return errDead
	case <-ctx.Done():
		return ctx.Err()
	}
}
