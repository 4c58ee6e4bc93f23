package modelhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"candor"
	"candor/internal/runtime"
)

// Want says which model is to answer.
type Want struct {
	Model string
	// Accept are others that may answer, where they are loaded and Model is not.
	Accept []string
	// Context is the least number of tokens the model must be loaded with; 0: any.
	Context int
}

// Outcome is what became of a loan, as far as the server is concerned.
type Outcome string

// The outcomes of a loan.
const (
	Served  Outcome = "served"  // it answered, whatever the answer was worth
	Busy    Outcome = "busy"    // it took no more requests: 429 or 503
	Faulted Outcome = "faulted" // it failed
	Unused  Outcome = "unused"  // it was not asked
)

// Loan is one slot of the server, with one model.
type Loan struct {
	// Server is the model server. Requests through it end with the reason when
	// the server is given up.
	Server runtime.Server
	Model  string // as the server lists it
	Digest string
	// Settings are those that the model is loaded with: to be in every request.
	Settings  runtime.Settings
	URL       string // where an OpenAI client finds it, for commands
	Simulated bool

	back func(Outcome)
}

// Return gives the slot back. Only the first call counts.
func (l *Loan) Return(outcome Outcome) { l.back(outcome) }

// waiter waits for a slot.
type waiter struct {
	want  Want
	since time.Time
	given chan struct{} // closed when loan or err is there
	loan  *Loan
	err   error
}

// slotNote is how often a waiting caller says that it waits.
const slotNote = 5 * time.Second

// Borrow waits for a slot with one of the models wanted. tell, which may be nil,
// hears from the calling goroutine that it waits, with progress of kind "slot".
// It fails with a *runtime.Error at once when no such model is loaded here, and
// with the context's error when the caller leaves.
func (h *Host) Borrow(ctx context.Context, want Want, tell func(candor.Progress)) (*Loan, error) {
	w := &waiter{want: want, since: h.o.Clock.Now(), given: make(chan struct{})}
	h.mu.Lock()
	h.queue = append(h.queue, w)
	h.grant()
	h.mu.Unlock()
	for {
		select {
		case <-w.given:
			return w.loan, w.err
		default:
		}
		if tell != nil {
			tell(candor.Progress{Kind: "slot", Note: h.place(w)})
		}
		select {
		case <-w.given:
			return w.loan, w.err
		case <-ctx.Done():
			h.leave(w)
			return nil, context.Cause(ctx)
		case <-h.o.Clock.After(slotNote):
			h.mu.Lock()
			h.grant() // patience may have ended
			h.mu.Unlock()
		}
	}
}

// place says in words what a waiter waits for.
func (h *Host) place(w *waiter) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := max(0, slices.Index(h.queue, w))
	return fmt.Sprintf("waits for a slot of the model server: %d of %d taken, %d ahead of it", h.bearing.lent, h.bearing.slots(), before)
}

// leave takes a waiter out of the queue; what it was given meanwhile goes back.
func (h *Host) leave(w *waiter) {
	h.mu.Lock()
	h.queue = slices.DeleteFunc(h.queue, func(other *waiter) bool { return other == w })
	h.mu.Unlock()
	select {
	case <-w.given:
		if w.loan != nil {
			w.loan.Return(Unused)
		}
	default:
	}
}

// grant serves the queue in order. Who waits for a model that is not ready does
// not hold up the others. The caller holds mu.
func (h *Host) grant() {
	h.queue = slices.DeleteFunc(h.queue, func(w *waiter) bool {
		m, err := h.choose(w)
		switch {
		case err != nil:
			w.err = err
		case m != nil && h.bearing.free():
			w.loan = h.lend(m)
		default:
			return false
		}
		close(w.given)
		return true
	})
}

// choose finds the model for a waiter: nil when it is to wait, an error when
// waiting is of no use. The caller holds mu.
func (h *Host) choose(w *waiter) (*model, error) {
	if h.state != candor.ServerUp || h.life == nil {
		return nil, h.notUp()
	}
	var listed *model
	for _, name := range append([]string{w.want.Model}, w.want.Accept...) {
		m := h.models[candor.ModelName(name)]
		switch {
		case m == nil || m.leaving:
		case m.ready && m.settings.Context >= w.want.Context:
			return m, nil
		case listed == nil:
			listed = m
		}
	}
	coming := h.work != nil && h.work.order.Kind == candor.OrderLoad && candor.ModelName(h.work.order.Model) == candor.ModelName(w.want.Model)
	switch {
	case coming:
		return nil, nil
	case listed == nil:
		return nil, runtime.NotThere(h.life.url, w.want.Model)
	case listed.ready:
		return nil, runtime.WholeContext(listed.Resident, w.want.Context)
	case h.o.Clock.Now().Sub(w.since) > h.o.TokenPatience:
		e := runtime.StillLoading(w.want.Model, h.o.Clock.Now().Sub(w.since), nil)
		if listed.doubt != "" {
			e.Cause = errors.New(listed.doubt)
		}
		return nil, e
	}
	return nil, nil
}

// notUp says why there is no server to ask. The caller holds mu.
func (h *Host) notUp() error {
	text := fmt.Sprintf("the model server is %s", h.state)
	if h.text != "" {
		text += ": " + h.text
	}
	code := runtime.CodeGone
	if h.code == runtime.CodeHung {
		code = h.code
	}
	return &runtime.Error{Code: code, Text: text, Detail: map[string]any{runtime.DetailActual: string(h.state)}}
}

// lend makes a loan of a free slot. The caller holds mu.
func (h *Host) lend(m *model) *Loan {
	l, round := h.life, h.bearing.lend()
	m.loans++
	var once sync.Once
	loan := &Loan{
		Model: m.Resident.Model, Digest: m.Digest, Settings: m.settings, URL: openAI(l.url), Simulated: l.identity.Simulated,
		back: func(outcome Outcome) { once.Do(func() { h.settle(l, m, round, outcome) }) },
	}
	loan.Server = &lent{Server: l.server, h: h, life: l, m: m, settings: m.settings}
	return loan
}

// settle takes a slot back. One of a former life counts no more.
func (h *Host) settle(l *life, m *model, round int, outcome Outcome) {
	h.mu.Lock()
	m.loans--
	changed := false
	if h.life == l {
		changed = h.bearing.back(round, outcome)
	}
	h.grant()
	close(h.news)
	h.news = make(chan struct{})
	h.mu.Unlock()
	if changed {
		poke(h.changed)
	}
	if outcome == Faulted {
		h.suspect(l, m.name)
	}
}

// suspect has a model asked for a token at the next look.
func (h *Host) suspect(l *life, name string) {
	h.mu.Lock()
	if m := h.models[name]; h.life == l && m != nil {
		m.token = time.Time{}
	}
	h.mu.Unlock()
	poke(h.nudge)
}
