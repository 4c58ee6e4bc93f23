package modelhost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"candor"
	"candor/internal/runtime"
)

// load makes room, and loads the model until it has produced a token.
func (j *job) load(ctx context.Context, before []runtime.Resident) error {
	h := j.h
	settings := runtime.Settings{Context: max(h.o.Context, j.order.Context), Threads: h.o.Threads, Layers: h.o.Layers}
	was := j.listed(before)
	there := was.Model != ""
	if there {
		if j.longEnough(was, settings.Context) && !j.doubted() {
			settings.Context = orElse(was.Context, settings.Context) // it serves as it is
		} else if err := j.unload(ctx, j.name); err != nil {
			return err
		} else {
			there = false
		}
	}
	for _, victim := range j.order.Evict {
		if name := candor.ModelName(victim); name != j.name {
			if err := j.unload(ctx, name); err != nil {
				return err
			}
		}
	}
	if !there {
		if err := j.room(ctx, settings.Context); err != nil {
			return err
		}
	}
	return j.wake(ctx, settings, there)
}

// longEnough says whether a listed model's context will do: the worker's own
// setting is a wish, where it was found that the model has no longer one.
func (j *job) longEnough(was runtime.Resident, wish int) bool {
	j.h.mu.Lock()
	defer j.h.mu.Unlock()
	p := j.h.past[j.name]
	return was.Context == 0 || was.Context >= wish || was.Context >= j.order.Context && p != nil && p.Context == was.Context
}

// doubted says whether the model that is listed is known not to work well.
func (j *job) doubted() bool {
	j.h.mu.Lock()
	defer j.h.mu.Unlock()
	m := j.h.models[j.name]
	return m != nil && m.doubt != ""
}

// wake loads the model and asks the guards.
func (j *job) wake(ctx context.Context, settings runtime.Settings, there bool) error {
	h := j.h
	limited, cancel := context.WithTimeout(ctx, h.o.LoadTimeout)
	defer cancel()
	j.progress("load", "loading %s", j.name)
	change, err := j.ask(limited, settings)
	if short := j.listed(change.After); runtime.CodeOf(err) == runtime.CodeContextShort && short.Context >= j.order.Context {
		// The model has no longer one, and the worker's own setting is a wish.
		settings.Context = short.Context
		change, err = j.ask(limited, settings)
	}
	if err == nil {
		err = h.pace(limited, j.l, j.order.Model, settings)
	}
	if err != nil {
		if runtime.CodeOf(err) == runtime.CodeOnCPU || runtime.CodeOf(err) == runtime.CodeContextShort {
			j.undo(ctx)
		}
		return err
	}
	r := j.listed(change.After)
	if r.Model == "" {
		return runtime.Vanished(j.order.Model)
	}
	if !there {
		h.learnLoad(j.name, r, j.took)
	}
	h.trust(j.l, r, settings, true)
	return nil
}

// ask loads the model with these settings.
func (j *job) ask(ctx context.Context, settings runtime.Settings) (runtime.Change, error) {
	change, err := j.l.server.Load(ctx, runtime.LoadRequest{
		Model: j.order.Model, Settings: settings, OnGPU: j.h.o.OnGPU,
		Progress: func(p runtime.Progress) {
			if p.Phase == runtime.PhaseListed {
				j.progress("load", "%s takes %s, of it %s on the card; after %s no token yet", j.name,
					candor.Bytes(p.Resident.Size), candor.Bytes(p.Resident.VRAM), candor.ShortDuration(p.Elapsed))
			}
		},
	})
	if change.LoadTook > 0 { // some servers do not say
		j.took += change.LoadTook
	} else {
		j.took += change.Took
	}
	return change, err
}

// listed is the order's model in a list; without a name: it is not there.
func (j *job) listed(all []runtime.Resident) runtime.Resident {
	i := slices.IndexFunc(all, func(r runtime.Resident) bool { return candor.ModelName(r.Model) == j.name })
	if i < 0 {
		return runtime.Resident{}
	}
	return all[i]
}

// undo takes a model out again that was loaded, but not as it must be: it would
// be listed, hold memory and be used by nobody.
func (j *job) undo(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, j.h.o.MemoryPatience)
	defer cancel()
	if _, err := j.l.server.Unload(limited, j.order.Model); err != nil {
		j.h.warn("model %s was loaded in vain and stays: %v", j.name, err)
	}
}

func (h *Host) learnLoad(name string, r runtime.Resident, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pastOf(name).loaded(r, took)
}

// paceTokens are enough to see a CPU, and few to wait for on one.
const paceTokens = 24

// pace asks a model that has a usual rate for a few tokens, and for a second
// time where the first came slowly: the machine may have been busy.
func (h *Host) pace(ctx context.Context, l *life, name string, settings runtime.Settings) error {
	h.mu.Lock()
	usual := h.past[candor.ModelName(name)].usual()
	h.mu.Unlock()
	if usual == 0 {
		return nil
	}
	var slow error
	for range 2 {
		a, err := l.server.Generate(ctx, runtime.Request{
			Model: name, Settings: settings, MaxTokens: paceTokens,
			Messages: []runtime.Message{{Role: "user", Text: "Count from one to a hundred in words."}},
		}, nil)
		switch code := runtime.CodeOf(err); {
		case err != nil && code.Scope() == runtime.ScopeRow:
			return nil // what it says is nonsense, but it says it
		case err != nil:
			return err
		case a.Tokens < telling:
			return nil
		}
		if slow = runtime.AtUsualRate(name, a.Rate(), usual, fraction); slow == nil {
			return nil
		}
	}
	return slow
}

// unload lets requests under way end, and returns when the model is gone.
func (j *job) unload(ctx context.Context, name string) error {
	limited, cancel := context.WithTimeout(ctx, j.h.o.Drain)
	defer cancel()
	server, err := j.drain(limited, name)
	if err != nil {
		return err
	}
	if server == "" {
		server = j.order.Model
		if name != j.name {
			return nil // to be evicted, and not there any more
		}
	}
	j.progress("unload", "unloading %s", name)
	_, err = j.l.server.Unload(limited, server)
	return err
}

// drain stops lending a model and waits for what was lent of it. It returns the
// server's name for it; empty: it is not there.
func (j *job) drain(ctx context.Context, name string) (string, error) {
	h := j.h
	began := h.o.Clock.Now()
	for {
		h.mu.Lock()
		m, news := h.models[name], h.news
		var held runtime.Resident
		loans := 0
		if m != nil {
			m.leaving = true
			held, loans = m.Resident, m.loans
		}
		h.mu.Unlock()
		if loans == 0 {
			return held.Model, nil
		}
		j.progress("unload", "%s is to go; %d requests of this worker run on it", name, loans)
		select {
		case <-news:
		case <-ctx.Done():
			if context.Cause(ctx) != context.DeadlineExceeded { //nolint:errorlint // the cause of our own timeout is never wrapped
				return "", context.Cause(ctx)
			}
			return "", runtime.Held(held, loans, h.o.Clock.Now().Sub(began))
		}
	}
}

// pull fetches a model, and says whether that changed what there is.
func (j *job) pull(ctx context.Context) (bool, error) {
	before, _ := j.h.Catalog()
	err := j.l.server.Pull(ctx, j.order.Model, func(p runtime.Pulled) {
		j.tell(candor.Progress{Kind: "pull", Done: p.Done, Total: p.Total, Note: p.Note})
	})
	if err != nil {
		return false, err
	}
	j.h.list(j.l)
	after, _ := j.h.Catalog()
	return !slices.Equal(entry(before, j.name), entry(after, j.name)), nil
}

func entry(c *candor.Catalog, name string) []candor.CatalogModel {
	if c == nil {
		return nil
	}
	var all []candor.CatalogModel
	for _, m := range c.Models {
		if m.Name == name {
			all = append(all, m)
		}
	}
	return all
}

// memoryPoll is how often the card is asked while its memory becomes free.
const memoryPoll = time.Second

// room waits until the card has the memory that the model needs, as far as that
// is known, and names who holds it otherwise: a server may push out every other
// model before it finds out by itself.
func (j *job) room(ctx context.Context, context int) error {
	h := j.h
	need := j.needs(context)
	if h.o.Card == nil || !h.o.OnGPU || need == 0 {
		return nil
	}
	began := h.o.Clock.Now()
	for {
		card, err := h.o.Card(ctx)
		if err != nil {
			h.warn("the card cannot be asked for its memory before %s is loaded: %v", j.name, err)
			return nil
		}
		waited := h.o.Clock.Now().Sub(began)
		switch {
		case card.Free >= need:
			return nil
		case card.Total > 0 && need > card.Total:
			return runtime.Fits(j.name, int64(need), int64(card.Total))
		case waited >= h.o.MemoryPatience:
			return runtime.Crowded(j.name, int64(need), int64(card.Free), int64(card.Total), h.holders(card), waited)
		}
		j.progress("load", "%s needs %s of the card, %s are free: waiting for %s", j.name, need, card.Free, h.holders(card))
		if err := h.o.Clock.Sleep(ctx, memoryPoll); err != nil {
			return fmt.Errorf("wait for the card's memory: %w", err)
		}
	}
}

// needs is what the model took here before, else at least its file.
func (j *job) needs(context int) candor.Bytes {
	j.h.mu.Lock()
	defer j.h.mu.Unlock()
	if p := j.h.past[j.name]; p != nil && p.VRAM > 0 && p.Context <= context {
		return candor.Bytes(p.VRAM)
	}
	for _, m := range entry(j.h.catalog, j.name) {
		return m.Size
	}
	return 0
}
