package runtimetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/runtime"
)

func unload(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	if s.lacks(t, Unload) {
		s.staysLoaded(t, s.Models.Tiny)
		return
	}
	change, err := s.Server.Unload(within(t), s.Models.Tiny)
	if err != nil {
		t.Fatal(err)
	}
	if !change.Changed || len(change.Before) != 1 || len(change.After) != 0 || len(change.Evicted) != 0 {
		t.Errorf("change: %+v", change)
	}
	if n := len(s.loaded(t)); n != 0 {
		t.Errorf("%d models are loaded", n)
	}
	change, err = s.Server.Unload(within(t), s.Models.Tiny)
	if err != nil || change.Changed {
		t.Errorf("the second unload: %+v, %v", change, err)
	}
}

// staysLoaded wants an unload refused, and nothing else to happen.
func (s Subject) staysLoaded(t *testing.T, model string) {
	t.Helper()
	change, err := s.Server.Unload(within(t), model)
	wantCode(t, err, runtime.CodeRefused)
	if _, there := s.loaded(t)[model]; change.Changed || !there {
		t.Errorf("changed %v, still there %v", change.Changed, there)
	}
}

func unloadHeld(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty))
	if s.lacks(t, Unload) {
		s.staysLoaded(t, s.Models.Endless)
		flight.cancel()
		flight.await(t)
		return
	}
	ctx, cancel := context.WithTimeout(within(t), 2*time.Second)
	defer cancel()
	change, err := s.Server.Unload(ctx, s.Models.Endless)
	e := wantCode(t, err, runtime.CodeHeld)
	if e[runtime.DetailInFlight] != 1 || len(change.After) != 1 {
		t.Errorf("operands %v, after %+v", e, change.After)
	}
	flight.cancel()
	flight.await(t)
	if _, err := s.Server.Unload(within(t), s.Models.Endless); err != nil {
		t.Errorf("unload once nobody holds it: %v", err)
	}
}

// Servers say so inside a reply that began well.
func pullMissing(t *testing.T, s Subject) {
	err := s.Server.Pull(within(t), "candor.invalid/nobody/nothing", func(runtime.Pulled) {})
	if code := runtime.CodeOf(err); code != runtime.CodeMissing && code != runtime.CodeRefused {
		t.Errorf("%v (code %q)", err, code)
	}
	models, err := s.Server.List(within(t))
	if err != nil || slices.ContainsFunc(models, func(m runtime.Model) bool { return strings.Contains(m.Name, "nothing") }) {
		t.Errorf("listed after a failed pull: %v, %v", models, err)
	}
}
