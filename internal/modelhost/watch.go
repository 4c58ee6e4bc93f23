package modelhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"candor"
	"candor/internal/runtime"
)

// errStopped ends a life because its worker ends.
var errStopped = errors.New("the worker ends")

const (
	listEvery  = time.Minute      // between two looks at what could be loaded
	doubtPause = 30 * time.Second // before a model that gave no token is asked again
)

// reach asks again and again who answers, until it is the right one. It
// returns why not when patience, 0 for none, has ended.
func (h *Host) reach(l *life, patience time.Duration, gone <-chan struct{}) error {
	began := h.o.Clock.Now()
	for {
		id, err := l.server.Identify(l.ctx)
		waited := h.o.Clock.Now().Sub(began)
		switch {
		case err == nil:
			l.identity = id
			return nil
		case l.ctx.Err() != nil:
			return context.Cause(l.ctx)
		case patience > 0 && waited > patience:
			return err
		case runtime.CodeOf(err) == runtime.CodeNotOurs:
			h.enter(candor.ServerStranger, err.Error(), err)
		case patience == 0 && waited > 0:
			h.enter(candor.ServerDown, err.Error(), err)
		}
		select {
		case <-l.ctx.Done():
		case <-gone:
			return err
		case <-h.again:
		case <-h.o.Clock.After(min(h.o.Poll, max(100*time.Millisecond, waited/4))):
		}
	}
}

// attend keeps an attached server in view.
func (h *Host) attend(ctx context.Context) {
	var before error // why it was given up the last time
	for ctx.Err() == nil {
		l := h.newLife(ctx, h.o.Server, h.o.URL)
		l.suspect = runtime.CodeOf(before) == runtime.CodeHung
		if h.reach(l, 0, nil) == nil {
			h.bear(l)
			before = h.watch(l, nil)
			h.bury(l)
		}
		if ctx.Err() == nil && before != nil {
			h.enter(candor.ServerDown, before.Error(), before)
		}
		l.end(errStopped)
		h.helpers.Wait()
	}
	h.enter(candor.ServerDown, errStopped.Error(), nil)
}

// watch looks at a server until it is given up, and returns why. gone is closed
// when its process has ended. A server that was given up for its silence counts
// as up only when a token has come.
func (h *Host) watch(l *life, gone <-chan struct{}) error {
	proven := !l.suspect
	for {
		h.look(l)
		if l.ctx.Err() == nil {
			if proven = proven || h.proven(); proven {
				h.enter(candor.ServerUp, "", nil)
			}
			h.prove(l)
		}
		select {
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		case <-gone:
			return runtime.Gone(l.url, 0, errors.New("its process has ended"))
		case <-h.nudge:
		case <-h.o.Clock.After(h.o.Poll):
		}
	}
}

// proven says whether a model has produced a token, or there is none to do so.
func (h *Host) proven() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.models {
		if m.ready {
			return true
		}
	}
	return len(h.models) == 0
}

// look reads the server's list and judges its silence.
func (h *Host) look(l *life) {
	h.mu.Lock()
	edition := h.edition
	h.mu.Unlock()
	all, err := l.server.Loaded(l.ctx)
	now := h.o.Clock.Now()
	switch code := runtime.CodeOf(err); {
	case l.ctx.Err() != nil:
		return
	case err == nil:
		l.answered = now
		for _, line := range h.adopt(l, edition, all) {
			h.warn("%s", line)
		}
	case code == runtime.CodeGone || code == runtime.CodeNotOurs:
		l.end(err)
		return
	case now.Sub(l.answered) > h.o.AnswerPatience:
		l.end(runtime.Hung(l.url, now.Sub(l.answered), 0))
		return
	}
	if err := h.silent(l, now, err == nil); err != nil {
		l.end(err)
		return
	}
	if now.Sub(l.listed) > listEvery && err == nil {
		l.listed = now
		h.list(l)
		h.keepPast()
	}
}

// silent finds a model that lets requests wait without a token.
func (h *Host) silent(l *life, now time.Time, answers bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.models {
		since, reading := m.silence()
		patience := h.o.TokenPatience + h.past[m.name].reading(reading)
		err := runtime.Producing(l.url, runtime.Health{
			At: now, Answers: runtime.Answers{OK: answers},
			Ready: runtime.Ready{LastToken: m.token, Model: m.name, SilentSince: since}, Slots: runtime.Slots{Busy: len(m.flights)},
		}, patience)
		if err != nil {
			return err
		}
	}
	return nil
}

// list reads what the server could load.
func (h *Host) list(l *life) {
	all, err := l.server.List(l.ctx)
	if err != nil {
		return // the looks at what is loaded judge the server
	}
	c := candor.Catalog{Models: []candor.CatalogModel{}}
	for _, m := range all {
		c.Models = append(c.Models, candor.CatalogModel{Name: candor.ModelName(m.Name), Digest: m.Digest, Size: candor.Bytes(m.Size)})
	}
	slices.SortFunc(c.Models, func(a, b candor.CatalogModel) int { return strings.Compare(a.Name, b.Name) })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.catalog != nil && slices.Equal(h.catalog.Models, c.Models) {
		return
	}
	h.catalog = &c
	h.revision++
	poke(h.changed)
}

// prove asks one model for a token that has to show that it can: one that is
// listed and has shown none, or was idle for long.
func (h *Host) prove(l *life) {
	m, limit := h.unproven(l)
	if m == nil {
		return
	}
	h.helpers.Go(func() {
		defer h.proved(l)
		h.probe(l, m, limit)
	})
}

// unproven picks the model to ask, one at a time and beside no order. Whoever
// uses a model outside our sight (a command with its URL) is not disturbed.
func (h *Host) unproven(l *life) (*model, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life != l || h.probing || h.work != nil {
		return nil, 0
	}
	now := h.o.Clock.Now()
	for _, m := range h.models {
		draining := !m.Until.IsZero() && m.Until.Before(now)
		fresh := m.ready && !m.token.IsZero() && (m.loans > 0 || now.Sub(m.token) < h.o.Fresh)
		if draining || fresh || now.Before(m.ask) {
			continue
		}
		h.probing = true
		if m.ready || m.doubt != "" || l.suspect {
			return m, h.o.TokenPatience
		}
		return m, h.o.LoadTimeout // somebody may be loading it just now
	}
	return nil, 0
}

func (h *Host) proved(l *life) {
	h.mu.Lock()
	h.probing = false
	h.mu.Unlock()
	poke(h.nudge)
}

// probe asks a model for a token, and at its usual rate unless it was ready.
func (h *Host) probe(l *life, m *model, limit time.Duration) {
	ctx, cancel := context.WithTimeout(l.ctx, limit)
	defer cancel()
	h.mu.Lock()
	name, settings, was, doubted := m.Resident.Model, m.settings, m.ready, m.doubt != ""
	h.mu.Unlock()
	change, err := l.server.Load(ctx, runtime.LoadRequest{Model: name, Settings: settings, OnGPU: h.o.OnGPU})
	if err == nil && !was {
		err = h.pace(ctx, l, name, settings)
	}
	err = l.blame(err)
	code := runtime.CodeOf(err)
	switch {
	case l.ctx.Err() != nil:
	case err == nil:
		if was && change.LoadTook > time.Second {
			h.warn("model %s had lost its process, and was loaded again in %s", m.name, candor.ShortDuration(change.LoadTook))
		}
		if doubted {
			h.say(slog.LevelInfo, lineModel, h.o.Name+": model "+m.name+" has produced a token: it is ready again")
		}
		if r, ok := runtime.Find(change.After, name); ok {
			h.trust(l, r, settings, false)
		}
	case code == runtime.CodeHung, code == runtime.CodeLoading && (was || doubted || l.suspect):
		l.end(mute(l.url, m.name, limit))
	case code == runtime.CodeBusy, code == runtime.CodeGone:
		// It answers, or the next look says what is the matter.
	default:
		h.doubt(l, m.name, err.Error(), doubtPause)
	}
}

// mute says that a model gave no token although nobody kept it from doing so.
func mute(url, name string, limit time.Duration) error {
	e := runtime.Hung(url, limit, 0)
	e.Text = fmt.Sprintf("%s has not produced a token for %s though its API answers: model %s was asked for one", url, candor.ShortDuration(limit), name)
	return e
}
