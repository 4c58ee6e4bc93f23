package runtime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor/internal/runtime"
)

func TestPulse(t *testing.T) {
	start := time.Date(2026, 11, 1, 21, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var p runtime.Pulse
	if r := p.Ready(); !r.LastToken.IsZero() || !r.SilentSince.IsZero() {
		t.Errorf("fresh: %+v", r)
	}
	a, b := p.Begin("m", at(0)), p.Begin("n", at(5))
	a.Token(at(10))
	if diff := cmp.Diff(runtime.Ready{LastToken: at(10), Model: "m", SilentSince: at(5)}, p.Ready()); diff != "" {
		t.Error(diff)
	}
	if p.InFlight("") != 2 || p.InFlight("m") != 1 || p.InFlight("other") != 0 {
		t.Errorf("in flight: %d", p.InFlight(""))
	}
	b.End()
	b.End()
	if got := p.Ready().SilentSince; got != at(10) {
		t.Errorf("silent since %s", got)
	}
	a.End()
	if r := p.Ready(); !r.SilentSince.IsZero() || r.LastToken != at(10) || p.InFlight("") != 0 {
		t.Errorf("idle: %+v", r)
	}
}

func TestProducing(t *testing.T) {
	now := time.Date(2026, 11, 1, 21, 0, 0, 0, time.UTC)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	health := func(token, silent time.Time) runtime.Health {
		return runtime.Health{
			At: now, Answers: runtime.Answers{OK: true},
			Ready: runtime.Ready{LastToken: token, SilentSince: silent}, Slots: runtime.Slots{Busy: 2},
		}
	}
	for name, c := range map[string]struct {
		h    runtime.Health
		hung bool
	}{
		"idle for long":                 {health(ago(5000), time.Time{}), false},
		"began a moment ago":            {health(ago(5000), ago(10)), false},
		"queues behind one that writes": {health(ago(1), ago(95)), false},
		"silent":                        {health(ago(120), ago(95)), true},
		"silent since the last token":   {health(ago(95), ago(95)), true},
		"never a token":                 {health(time.Time{}, ago(95)), true},
	} {
		t.Run(name, func(t *testing.T) {
			err := runtime.Producing("server", c.h, time.Minute)
			if (runtime.CodeOf(err) == runtime.CodeHung) != c.hung {
				t.Fatalf("%v", err)
			}
			if c.hung && !strings.Contains(err.Error(), "has not produced a token for 1m35s though its API answers; 2 requests wait") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestChangeTellsWhatAnOrderDid(t *testing.T) {
	a, b := runtime.Resident{Model: "a", Size: 5, Context: 512}, runtime.Resident{Model: "b", Size: 6}
	longer := a
	longer.Context = 1024
	list := func(all ...runtime.Resident) []runtime.Resident { return all }
	for name, c := range map[string]struct {
		before, after []runtime.Resident
		changed       bool
		evicted       []string
	}{
		"nothing":               {list(a), list(a), false, nil},
		"loaded":                {nil, list(a), true, nil},
		"loaded anew":           {list(a), list(longer), true, nil},
		"unloaded":              {list(a, b), list(b), true, nil},
		"pushed another out":    {list(b), list(a), true, []string{"b"}},
		"failed and pushed out": {list(b), nil, true, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := runtime.Change{Before: c.before, After: c.after}.Diff("a")
			if got.Changed != c.changed || !cmp.Equal(got.Evicted, c.evicted) {
				t.Errorf("changed %v, evicted %v", got.Changed, got.Evicted)
			}
		})
	}
}

func TestWholeEmbedding(t *testing.T) {
	for name, c := range map[string]struct {
		vectors [][]float32
		whole   bool
	}{
		"whole":          {[][]float32{{1, 2}, {3, 4}}, true},
		"one missing":    {[][]float32{{1, 2}}, false},
		"one empty":      {[][]float32{{1, 2}, {}}, false},
		"all empty":      {[][]float32{{}, {}}, false},
		"lengths differ": {[][]float32{{1, 2}, {3}}, false},
	} {
		if err := (runtime.Embedding{Model: "m", Vectors: c.vectors}).Whole(2); (err == nil) != c.whole {
			t.Errorf("%s: %v", name, err)
		}
	}
}
