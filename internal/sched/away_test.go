package sched

import (
	"testing"
	"time"

	"candor"
)

// TestAway: while the brain itself did not run, nobody was silent.
func TestAway(t *testing.T) {
	now := time.Date(2026, 2, 7, 21, 0, 0, 0, time.UTC)
	s := New(Config{Lost: 10 * time.Second, Lease: 20 * time.Second, Asking: 15 * time.Second}, &Snapshot{})
	apply := func(c Command) {
		t.Helper()
		if _, err := s.Apply(now, c); err != nil {
			t.Fatal(err)
		}
	}
	apply(Register{Req: candor.RegisterRequest{Protocol: candor.Protocol, Info: candor.WorkerInfo{
		Name: "worker-1", PID: 1, Slots: 1, Classes: []candor.Class{candor.ClassCPU}}}})
	now = now.Add(4 * time.Second)
	apply(Tick{})
	now = now.Add(time.Minute)
	apply(Away{For: time.Minute})
	apply(Tick{})
	if w := s.workers["worker-1"]; w.state == candor.WorkerLost || s.now.Sub(w.seen) != 4*time.Second {
		t.Errorf("after a minute's absence the worker is %s, seen %s ago", w.state, s.now.Sub(w.seen))
	}
	now = now.Add(7 * time.Second)
	apply(Tick{})
	if w := s.workers["worker-1"]; w.state != candor.WorkerLost {
		t.Errorf("its own silence of 11s makes it %s", w.state)
	}
}
