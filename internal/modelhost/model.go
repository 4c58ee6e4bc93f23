package modelhost

import (
	"time"

	"candor"
	"candor/internal/runtime"
)

// model is one in the server's memory. Guarded by the host's mu.
type model struct {
	runtime.Resident // as the server last listed it
	name             string
	settings         runtime.Settings // to be in each request

	ready   bool
	doubt   string    // why it is not ready, where it once was
	slow    int       // answers in a row that came at a fraction of the usual rate
	token   time.Time // its last one; zero: none seen
	ask     time.Time // not to be asked for a token before
	leaving bool      // ordered to go: not lent any more
	loans   int
	flights map[*flight]struct{}
}

// flight is a request under way. Guarded by the host's mu.
type flight struct {
	h      *Host
	m      *model
	heard  time.Time // begun, or its last token
	spoken bool      // a token has come
	prompt int       // bytes
}

// takeoff notes a request to a model.
func (h *Host) takeoff(m *model, prompt int) *flight {
	f := &flight{h: h, m: m, heard: h.o.Clock.Now(), prompt: prompt}
	h.mu.Lock()
	m.flights[f] = struct{}{}
	h.mu.Unlock()
	return f
}

func (f *flight) token() {
	now := f.h.o.Clock.Now()
	f.h.mu.Lock()
	f.heard, f.m.token, f.spoken = now, now, true
	f.h.mu.Unlock()
}

func (f *flight) land() {
	f.h.mu.Lock()
	delete(f.m.flights, f)
	f.h.mu.Unlock()
}

// silence says since when the flight that waits longest has heard nothing, and
// how many bytes of prompts are being read meanwhile.
func (m *model) silence() (since time.Time, reading int) {
	for f := range m.flights {
		if since.IsZero() || f.heard.Before(since) {
			since = f.heard
		}
		if !f.spoken {
			reading += f.prompt
		}
	}
	return since, reading
}

// served is a listed model as the brain sees it. The caller holds mu.
func (h *Host) served(r runtime.Resident, now time.Time) candor.ServedModel {
	s := candor.ServedModel{
		Name: candor.ModelName(r.Model), Digest: r.Digest, Context: r.Context,
		Size: candor.Bytes(r.Size), VRAM: candor.Bytes(r.VRAM),
	}
	if m := h.models[s.Name]; m != nil {
		s.Ready, s.Doubt, s.InUse = m.ready, m.doubt, m.loans
		if !m.token.IsZero() {
			s.Token = candor.Duration(now.Sub(m.token))
		}
	}
	if p := h.past[s.Name]; p != nil {
		s.Rate = p.Rate
	}
	return s
}

// adopt takes what the server lists as the truth about its memory; by an
// edition that is over it is stale news. It returns what has gone and what has
// lost its readiness, in sentences.
func (h *Host) adopt(l *life, edition int, all []runtime.Resident) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life != l || h.edition != edition {
		return nil
	}
	var lines []string
	seen, ordered := map[string]bool{}, ""
	if h.work != nil {
		ordered = candor.ModelName(h.work.order.Model)
	}
	before := len(h.models)
	for _, r := range all {
		name := candor.ModelName(r.Model)
		seen[name] = true
		m := h.models[name]
		if m == nil {
			h.models[name] = h.newModel(r)
			if name != ordered && !l.suspect { // of which was told when it fell silent
				lines = append(lines, "model "+name+" is listed; it is not counted before it has produced a token")
			}
			continue
		}
		if m.Digest != r.Digest || m.Context != r.Context {
			m.ready, m.doubt, m.ask = false, "loaded anew by somebody else", time.Time{}
			m.settings.Context = orElse(r.Context, h.o.Context)
			if name != ordered {
				lines = append(lines, "model "+name+" was loaded anew by somebody else")
			}
		}
		m.Resident = r
	}
	for name, m := range h.models {
		if !seen[name] {
			delete(h.models, name)
			switch {
			case m.leaving:
			case ordered != "":
				lines = append(lines, "model "+name+" is gone from memory while an order about "+ordered+" is carried out")
			default:
				lines = append(lines, "model "+name+" is gone from memory, and no order did it")
			}
		}
	}
	if before != len(h.models) || len(lines) > 0 {
		h.tell()
	}
	return lines
}

// newModel is one that has just been listed; a server that does not say its
// context is taken to have the worker's own. The caller holds mu.
func (h *Host) newModel(r runtime.Resident) *model {
	return &model{
		Resident: r, name: candor.ModelName(r.Model), flights: map[*flight]struct{}{},
		settings: runtime.Settings{Context: orElse(r.Context, h.o.Context), Threads: h.o.Threads, Layers: h.o.Layers},
	}
}

// trust notes that a model was asked for a token and gave it, and how the
// server listed it then. A model that is to go, or is gone, is none the better.
func (h *Host) trust(l *life, r runtime.Resident, s runtime.Settings, fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := candor.ModelName(r.Model)
	m := h.models[name]
	if m == nil && fresh {
		m = h.newModel(r)
	}
	if h.life != l || m == nil || m.leaving && !fresh {
		return
	}
	h.edition++
	h.models[name] = m
	if !m.ready { // it was asked for its rate, too
		m.slow = 0
	}
	m.Resident, m.settings, m.leaving = r, s, false
	m.ready, m.doubt, m.token = true, "", h.o.Clock.Now()
	h.tell()
}

// doubt takes a model's readiness away and has it asked for a token soon.
func (h *Host) doubt(l *life, name, why string, after time.Duration) {
	h.mu.Lock()
	m := h.models[name]
	if h.life != l || m == nil {
		h.mu.Unlock()
		return
	}
	was := m.ready
	m.ready, m.doubt, m.ask = false, why, h.o.Clock.Now().Add(after)
	if was {
		h.tell()
	}
	h.mu.Unlock()
	if was {
		h.warn("model %s is not ready any more: %s", name, why)
	}
}
