package runtime

import (
	"sync"
	"time"
)

// Pulse is what an adapter has seen of its server's work: requests in flight
// and tokens. Its zero value is ready for use, by any number of goroutines.
type Pulse struct {
	mu        sync.Mutex
	lastToken time.Time        // guarded by mu
	model     string           // guarded by mu: of lastToken
	flights   map[*Flight]bool // guarded by mu
}

// Flight is one request on its way.
type Flight struct {
	pulse *Pulse
	model string
	heard time.Time // guarded by pulse.mu: begun, or the last token
}

// Begin notes a request.
func (p *Pulse) Begin(model string, now time.Time) *Flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := &Flight{pulse: p, model: model, heard: now}
	if p.flights == nil {
		p.flights = map[*Flight]bool{}
	}
	p.flights[f] = true
	return f
}

// Token notes that a piece of the answer came.
func (f *Flight) Token(now time.Time) {
	f.pulse.mu.Lock()
	defer f.pulse.mu.Unlock()
	f.heard = now
	f.pulse.lastToken, f.pulse.model = now, f.model
}

// End notes that the request is over, however it ended.
func (f *Flight) End() {
	f.pulse.mu.Lock()
	defer f.pulse.mu.Unlock()
	delete(f.pulse.flights, f)
}

// Ready is the second of the three signals.
func (p *Pulse) Ready() Ready {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := Ready{LastToken: p.lastToken, Model: p.model}
	for f := range p.flights {
		if r.SilentSince.IsZero() || f.heard.Before(r.SilentSince) {
			r.SilentSince = f.heard
		}
	}
	return r
}

// InFlight counts the requests on their way, to one model or, with "", to any.
func (p *Pulse) InFlight(model string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for f := range p.flights {
		if model == "" || f.model == model {
			n++
		}
	}
	return n
}
