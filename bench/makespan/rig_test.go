package main

import (
	"testing"
	"time"
)

// Two loads at once on one host take twice as long; alone again, the rest is as fast as before.
func TestLoadsShareADisk(t *testing.T) {
	in := &instance{
		models: []model{{name: "m", size: large}},
		cards: []card{
			{host: 0, size: vram, loads: []time.Duration{10 * time.Second}},
			{host: 0, size: vram, loads: []time.Duration{30 * time.Second}},
			{host: 1, size: vram, loads: []time.Duration{15 * time.Second}},
		},
		tasks: []task{{takes: time.Minute}},
	}
	r := newRig(in)
	ends := map[int]time.Duration{}
	for _, g := range r.gpus {
		r.join(g)
		if err := r.load(g, 0, nil, func() error {
			ends[g.index] = r.now
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for len(r.ahead) > 0 {
		if err := r.next(); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []time.Duration{20 * time.Second, 40 * time.Second, 15 * time.Second} {
		if ends[i] != want {
			t.Errorf("card %d has its model after %s, want %s", i, ends[i], want)
		}
	}
}

// What cannot be, the rig refuses.
func TestTheRigRefuses(t *testing.T) {
	in := &instance{
		models: []model{{name: "a", size: large}, {name: "b", size: large}},
		cards:  []card{{size: vram, loads: []time.Duration{time.Second, time.Second}}},
		tasks:  []task{{takes: time.Minute}},
	}
	r := newRig(in)
	g := r.gpus[0]
	nothing := func() error { return nil }
	if r.load(g, 0, nil, nothing) == nil {
		t.Error("a card that has not joined loads")
	}
	r.join(g)
	if r.start(g, 0, nothing) == nil {
		t.Error("a task runs without its model")
	}
	g.held = []int{0}
	if r.load(g, 1, nil, nothing) == nil {
		t.Error("two models fit that do not")
	}
	if err := r.start(g, 0, nothing); err != nil {
		t.Fatal(err)
	}
	if r.start(g, 0, nothing) == nil {
		t.Error("two tasks run at once")
	}
	if r.load(g, 1, []int{0}, nothing) == nil {
		t.Error("a model goes while a task runs on it")
	}
}
