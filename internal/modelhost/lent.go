package modelhost

import (
	"context"
	"fmt"

	"candor/internal/runtime"
)

// lent is the server as a borrower has it: what comes of its requests is heard,
// and they end with the reason when the server is given up.
type lent struct {
	runtime.Server
	h        *Host
	life     *life
	m        *model
	settings runtime.Settings
}

// Generate implements runtime.Server. Settings and patience that are left out
// are the host's.
func (s *lent) Generate(ctx context.Context, r runtime.Request, tell func(runtime.Chunk)) (runtime.Answer, error) {
	ctx, leave := s.life.within(ctx)
	defer leave()
	if r.Settings.Context == 0 {
		r.Settings = s.settings
	}
	r.Patience = r.Patience.Or(s.h.patience())
	f := s.h.takeoff(s.m, r.Bytes())
	defer f.land()
	a, err := s.Server.Generate(ctx, r, func(c runtime.Chunk) {
		f.token()
		if tell != nil {
			tell(c)
		}
	})
	err = s.life.blame(err)
	s.h.hear(s.life, s.m, a, err)
	return a, err
}

// Embed implements runtime.Server.
func (s *lent) Embed(ctx context.Context, r runtime.EmbedRequest) (runtime.Embedding, error) {
	ctx, leave := s.life.within(ctx)
	defer leave()
	if r.Settings.Context == 0 {
		r.Settings = s.settings
	}
	r.Patience = r.Patience.Or(s.h.patience())
	size := 0
	for _, t := range r.Texts {
		size += len(t)
	}
	f := s.h.takeoff(s.m, size)
	defer f.land()
	e, err := s.Server.Embed(ctx, r)
	if err == nil {
		f.token()
	}
	err = s.life.blame(err)
	s.h.hear(s.life, s.m, runtime.Answer{}, err)
	return e, err
}

// patience of a single request is longer than the host's own, which sees more
// and says more when it ends.
func (h *Host) patience() runtime.Patience {
	longer := h.o.TokenPatience + 2*h.o.Poll + h.o.AnswerPatience
	return runtime.Patience{Next: longer}
}

// hear learns from a request that has ended.
func (h *Host) hear(l *life, m *model, a runtime.Answer, err error) {
	if err == nil {
		h.judgePace(l, m, a)
		h.learnOverlap(l, a)
		return
	}
	code := runtime.CodeOf(err)
	switch {
	case code == "" || code == runtime.CodeBusy || code.Scope() == runtime.ScopeRow:
		return // the caller left, or the next request is none the worse
	case code.Scope() == runtime.ScopeModel || code == runtime.CodeHung:
		h.doubt(l, m.name, err.Error(), 0)
	}
	poke(h.nudge)
}

// judgePace keeps the usual rate, and doubts a model that has fallen far below
// it for several answers: one may have shared the card with a load.
func (h *Host) judgePace(l *life, m *model, a runtime.Answer) {
	h.mu.Lock()
	p := h.pastOf(m.name)
	err := p.answer(m.Resident.Model, a)
	if now := h.models[m.name]; now != nil {
		m = now // it may have been listed anew meanwhile
	}
	if err == nil {
		m.slow = 0
	} else {
		m.slow++
	}
	slow := m.slow
	h.mu.Unlock()
	if slow >= patient {
		h.doubt(l, m.name, fmt.Sprintf("%v, %d times in a row", err, slow), 0)
		poke(h.nudge)
	}
}
