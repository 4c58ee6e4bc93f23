package runtimetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// short is patience that a fault outlasts and a healthy server does not.
func short() runtime.Patience {
	return runtime.Patience{First: 20 * time.Second, Next: 2 * time.Second}
}

func callerLeaves(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty))
	flight.cancel()
	if r := flight.await(t); !errors.Is(r.err, context.Canceled) || r.answer.Tokens < few || r.answer.Text == "" {
		t.Errorf("%+v, %v", r.answer, r.err)
	}
	began := clock.System().Now()
	if _, err := s.Server.Generate(within(t), s.ask(s.Models.Endless, 1), nil); err != nil {
		t.Fatal(err)
	}
	if took := clock.System().Now().Sub(began); took > 5*time.Second {
		t.Errorf("the next request waited %s: the server went on for nobody", took)
	}
	if h := s.Server.Health(within(t)); h.Slots.Busy != 0 || !h.Ready.SilentSince.IsZero() {
		t.Errorf("still counted: %+v", h)
	}
}

func health(t *testing.T, s Subject) {
	h := s.Server.Health(within(t))
	if !h.Answers.OK || !h.Ready.LastToken.IsZero() || h.Slots.Busy != 0 {
		t.Errorf("fresh: %+v", h)
	}
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty))
	h = s.Server.Health(within(t))
	if !h.Answers.OK || h.Slots.Busy != 1 || h.Ready.Model != s.Models.Endless || h.Ready.SilentSince.IsZero() || len(h.Answers.Loaded) != 1 {
		t.Errorf("busy: %+v", h)
	}
	if err := runtime.Producing("it", h, limit); err != nil {
		t.Error(err)
	}
	flight.cancel()
	flight.await(t)
}

func serverKilled(t *testing.T, s Subject) {
	s.Faults.Kill()
	_, err := s.Server.Identify(within(t))
	wantCode(t, err, runtime.CodeGone)
	_, err = s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Tiny, Settings: s.Settings})
	wantCode(t, err, runtime.CodeGone)
	_, err = s.Server.Generate(within(t), s.ask(s.Models.Tiny, few), nil)
	wantCode(t, err, runtime.CodeGone)
	if h := s.Server.Health(within(t)); h.Answers.OK || runtime.CodeOf(h.Answers.Err) != runtime.CodeGone {
		t.Errorf("health: %+v", h)
	}
}

func serverKilledMidAnswer(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty))
	s.Faults.Kill()
	r := flight.await(t)
	e := wantCode(t, r.err, runtime.CodeGone)
	if n, _ := e[runtime.DetailTokens].(int); n < few || r.answer.End != runtime.EndNone {
		t.Errorf("operands %v, answer %+v", e, r.answer)
	}
}

func serverFrozen(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	r := s.ask(s.Models.Endless, plenty)
	thaw := s.Faults.Freeze()
	defer thaw()
	h := s.Server.Health(within(t))
	if h.Answers.OK || runtime.CodeOf(h.Answers.Err) != runtime.CodeHung {
		t.Errorf("health: %+v", h)
	}
	r.Patience = runtime.Patience{First: time.Second, Next: time.Second}
	_, err := s.Server.Generate(within(t), r, nil)
	wantCode(t, err, runtime.CodeHung)
	thaw()
	if _, err := s.Server.Generate(within(t), s.ask(s.Models.Endless, 1), nil); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func runnerKilledMidAnswer(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	flight := s.fly(t, s.ask(s.Models.Endless, plenty))
	s.Faults.KillRunner(s.Models.Endless)
	want := runtime.CodeRunnerGone
	if s.lacks(t, TellDeath) {
		want = runtime.CodeIncomplete
	}
	wantCode(t, flight.await(t).err, want)
	if h := s.Server.Health(within(t)); !h.Answers.OK {
		t.Errorf("the server itself lives: %+v", h)
	}
	if _, err := s.Server.Load(within(t), runtime.LoadRequest{Model: s.Models.Endless, Settings: s.Settings}); err != nil {
		t.Errorf("load again: %v", err)
	}
}

// A dead model may still be listed; only the load, which is a token, knows. It
// must also outlive the server's own idea of how long to keep what it revived.
func runnerKilledIdle(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	s.Faults.KillRunner(s.Models.Tiny)
	s.load(t, s.Models.Tiny)
	if until := s.loaded(t)[s.Models.Tiny].Until; !until.IsZero() && until.Sub(clock.System().Now()) < 24*time.Hour {
		t.Errorf("kept until %s only", until)
	}
}

// The server is green all the while: only the silence between tokens tells.
func runnerFrozenMidAnswer(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	r := s.ask(s.Models.Endless, plenty)
	r.Patience = short()
	flight := s.fly(t, r)
	thaw := s.Faults.FreezeRunner(s.Models.Endless)
	defer thaw()
	h := s.Server.Health(within(t))
	if !h.Answers.OK || h.Slots.Busy != 1 {
		t.Errorf("health: %+v", h)
	}
	res := flight.await(t)
	e := wantCode(t, res.err, runtime.CodeHung)
	if silent, _ := e[runtime.DetailSilent].(time.Duration); silent < r.Patience.Next || silent >= r.Patience.First {
		t.Errorf("operands %v, want a silence of little more than %s", e, r.Patience.Next)
	}
}

func runnerFrozenIdle(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	thaw := s.Faults.FreezeRunner(s.Models.Tiny)
	defer thaw()
	r := s.ask(s.Models.Tiny, few)
	r.Patience.First = time.Second
	_, err := s.Server.Generate(within(t), r, nil)
	wantCode(t, err, runtime.CodeHung)
	if h := s.Server.Health(within(t)); !h.Answers.OK || len(h.Answers.Loaded) != 1 {
		t.Errorf("health: %+v", h)
	}
	thaw()
	s.load(t, s.Models.Tiny)
}
