package runtimetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
)

func identity(t *testing.T, s Subject) {
	id, err := s.Server.Identify(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if id.Version == "" || id.Kind == "" || id.URL == "" {
		t.Errorf("incomplete: %+v", id)
	}
}

func lists(t *testing.T, s Subject) {
	models, err := s.Server.List(within(t))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]runtime.Model{}
	for _, m := range models {
		names[m.Name] = m
		if m.Size <= 0 && !s.lacks(t, Account) {
			t.Errorf("%s has size %d", m.Name, m.Size)
		}
	}
	for _, want := range []string{s.Models.Tiny, s.Models.Other, s.Models.Endless} {
		if _, ok := names[want]; !ok {
			t.Errorf("%s is not in the list %v", want, models)
		}
	}
	if d := names[s.Models.Tiny].Digest; d != "" && d == names[s.Models.Other].Digest {
		t.Errorf("two contents with one digest %s", d)
	}
	if n := len(s.loaded(t)); n != 0 {
		t.Errorf("%d models are loaded on a fresh server", n)
	}
}

func loadIsAToken(t *testing.T, s Subject) {
	began := clock.System().Now()
	change := s.load(t, s.Models.Tiny)
	if !change.Changed || len(change.Before) != 0 || len(change.Evicted) != 0 {
		t.Errorf("change of a first load: %+v", change)
	}
	r, ok := runtime.Find(change.After, s.Models.Tiny)
	if !ok || r.Size <= 0 && !s.lacks(t, Account) || r.Context != s.Settings.Context {
		t.Errorf("state after: %+v", change.After)
	}
	if at := s.Server.Health(within(t)).Ready; at.LastToken.Before(began) || at.Model != s.Models.Tiny {
		t.Errorf("ready without a token: %+v", at)
	}
}

func loadTwice(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	change := s.load(t, s.Models.Tiny)
	if change.Changed {
		t.Errorf("the second load says it changed something: %+v", change)
	}
	if len(change.Before) != 1 || len(change.After) != 1 {
		t.Errorf("states: %+v", change)
	}
}

func loadOtherSettings(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	s.Settings.Context *= 2
	if s.lacks(t, Settle) {
		s.tooShort(t, s.Models.Tiny)
		return
	}
	change := s.load(t, s.Models.Tiny)
	if !change.Changed {
		t.Errorf("a reload with twice the context says it changed nothing: %+v", change)
	}
	if r := s.loaded(t)[s.Models.Tiny]; r.Context != s.Settings.Context {
		t.Errorf("context %d, want %d", r.Context, s.Settings.Context)
	}
}

// tooShort wants a context refused that a server was not started with.
func (s Subject) tooShort(t *testing.T, model string) {
	t.Helper()
	_, err := s.Server.Load(within(t), runtime.LoadRequest{Model: model, Settings: s.Settings})
	if e := wantCode(t, err, runtime.CodeContextShort); e[runtime.DetailWanted] != s.Settings.Context {
		t.Errorf("operands %v", e)
	}
}

func loadMissing(t *testing.T, s Subject) {
	_, err := s.Server.Load(within(t), runtime.LoadRequest{Model: "nobody", Settings: s.Settings})
	if e := wantCode(t, err, runtime.CodeMissing); e[runtime.DetailModel] != "nobody" {
		t.Errorf("names %v", e)
	}
	_, err = s.Server.Unload(within(t), "nobody")
	wantCode(t, err, runtime.CodeMissing)
}

func loadWrongContent(t *testing.T, s Subject) {
	change, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Tiny, Digest: "0123456789abcdef", Settings: s.Settings})
	if s.lacks(t, Digests) {
		if err != nil || change.After[0].Digest != "" {
			t.Errorf("%v, %+v", err, change.After)
		}
		return
	}
	wantCode(t, err, runtime.CodeNotThisModel)
	if change.Changed || len(s.loaded(t)) != 0 {
		t.Error("another content was loaded")
	}
}

func loadBroken(t *testing.T, s Subject) {
	change, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Broken, Settings: s.Settings})
	wantCode(t, err, runtime.CodeBroken)
	if len(change.After) != 0 {
		t.Errorf("loaded: %+v", change.After)
	}
}

func loadTooLarge(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	settings := s.Settings
	settings.Context = hugeContext
	if s.lacks(t, Settle) {
		s.Settings = settings
		s.tooShort(t, s.Models.Huge)
		return
	}
	change, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Huge, Settings: settings})
	wantCode(t, err, runtime.CodeTooLarge)
	_, there := s.loaded(t)[s.Models.Tiny]
	told := slices.Contains(change.Evicted, s.Models.Tiny)
	if told == there || change.Changed != told {
		t.Errorf("%s is loaded: %v; told as evicted: %v, changed: %v", s.Models.Tiny, there, told, change.Changed)
	}
}

func loadLowered(t *testing.T, s Subject) {
	settings := s.Settings
	settings.Context = 1 << 20
	_, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Tiny, Settings: settings})
	e := wantCode(t, err, runtime.CodeContextShort)
	if e[runtime.DetailWanted] != settings.Context {
		t.Errorf("operands %v", e)
	}
}

// Layers 0 is an order for the CPU, so that every machine can show it.
func loadOnCPU(t *testing.T, s Subject) {
	if s.lacks(t, Account) {
		if r, _ := runtime.Find(s.load(t, s.Models.Tiny).After, s.Models.Tiny); r.VRAM != 0 {
			t.Errorf("claims %d bytes on a card", r.VRAM)
		}
		return
	}
	none := 0
	s.Settings.Layers = &none
	change, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Tiny, Settings: s.Settings, OnGPU: true})
	e := wantCode(t, err, runtime.CodeOnCPU)
	if e[runtime.DetailVRAM] != int64(0) {
		t.Errorf("operands %v", e)
	}
	if len(change.After) != 1 {
		t.Errorf("the state after does not show it: %+v", change.After)
	}
}

// The runner is frozen, so that no load can be fast enough.
func loadExpires(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty)) // its runner is to be frozen
	thaw := s.Faults.FreezeRunner(s.Models.Endless)
	defer thaw()
	ctx, cancel := context.WithTimeout(within(t), 3*time.Second)
	defer cancel()
	_, err := s.Server.Load(ctx, runtime.LoadRequest{Model: s.Models.Endless, Settings: s.Settings})
	wantCode(t, err, runtime.CodeLoading)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not say that the time was up", err)
	}
	flight.cancel()
	thaw()
	flight.await(t)
}

func loadProgress(t *testing.T, s Subject) {
	var phases []runtime.Phase
	_, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Tiny, Settings: s.Settings, Progress: func(p runtime.Progress) {
		phases = append(phases, p.Phase)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(phases) < 2 || phases[0] != runtime.PhaseAsked || phases[len(phases)-1] != runtime.PhaseReady {
		t.Errorf("phases %v", phases)
	}
}
