package sched

import (
	"testing"
	"time"

	"candor"
)

// sums is where a worker's time went, which must be all of it.
func (f *farm) sums(name string) map[candor.ReasonCode]time.Duration {
	f.t.Helper()
	for _, w := range f.do(Workers{}).([]candor.Worker) {
		if w.Name != name {
			continue
		}
		out, all := map[candor.ReasonCode]time.Duration{}, time.Duration(0)
		for code, d := range w.Account.Sums {
			if d > 0 {
				out[code] = d.D()
			}
			all += d.D()
		}
		if whole := w.Account.To.Sub(w.Account.From); all != whole {
			f.t.Fatalf("%s: %s of %s accounted for: %v", name, all, whole, out)
		}
		return out
	}
	f.t.Fatalf("no worker %s", name)
	return nil
}

func (f *farm) wantSums(name string, want map[candor.ReasonCode]time.Duration) {
	f.t.Helper()
	got := f.sums(name)
	for code, d := range want {
		if got[code] != d {
			f.t.Errorf("%s: %s of %s, want %s; all: %v", name, got[code], code, d, got)
		}
	}
	if len(got) != len(want) {
		f.t.Errorf("%s: %v, want %v", name, got, want)
	}
}

// Each second goes to what the worker did then, or to why it did nothing.
func TestAWorkersTimeIsAccountedFor(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.claim("w1")
	f.pass(time.Second)
	for range 9 {
		f.pass(time.Second)
	}
	f.wantSums("w1", map[candor.ReasonCode]time.Duration{candor.ReasonIdleNoWork: 10 * time.Second})
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(20 * time.Second)
	f.beat("w1", a.Lease)
	f.claim("w1", done(a))
	f.do(Pause{candor.ChangeRequest{Targets: []string{"worker:w1"}, By: "ann"}})
	f.pass(5 * time.Second)
	f.do(Resume{candor.ChangeRequest{Targets: []string{"worker:w1"}}})
	f.do(Drain{candor.ChangeRequest{Targets: []string{"w1"}}})
	f.pass(7 * time.Second)
	f.do(Undrain{candor.ChangeRequest{Targets: []string{"w1"}}})
	f.submit(cpu("fast", requires("fast")))
	f.claim("w1")
	f.pass(3 * time.Second)
	f.wantSums("w1", map[candor.ReasonCode]time.Duration{
		candor.ReasonIdleNoWork: 10 * time.Second, candor.ReasonBusyTime: 20 * time.Second, candor.ReasonWorkerPaused: 5 * time.Second,
		candor.ReasonDraining: 7 * time.Second, candor.ReasonLabel: 3 * time.Second,
	})
}

// A claim may be held for long: why its worker is idle is asked again meanwhile.
func TestTheReasonOfAnIdleWorkerIsKeptFresh(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2", func(in *candor.WorkerInfo) { in.Labels = []string{"fast"} })
	f.claim("w1")
	f.pass(2 * time.Second)
	b := f.submit(cpu("fast", requires("fast"))).Batch
	f.pass(time.Second)
	f.pass(4 * time.Second)
	a := f.take("w2")
	f.claim("w2", done(a))
	f.pass(time.Second)
	f.pass(time.Second)
	if got := f.sums("w1"); got[candor.ReasonLabel] != 5*time.Second || got[candor.ReasonIdleNoWork] != 4*time.Second {
		t.Errorf("%v, batch %s", got, b)
	}
}

// A load is no work, and waiting for one's turn at the model server neither.
func TestLoadsHaveTheirOwnColumn(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	beat := func(kind string) {
		f.do(Heartbeat{"w1", candor.HeartbeatRequest{Session: f.at["w1"], Running: []candor.LeaseProgress{
			{Lease: a.Lease, Progress: candor.Progress{Kind: kind, At: f.now}},
		}}})
	}
	for _, step := range []struct {
		kind string
		code candor.ReasonCode
	}{{"load", candor.ReasonLoadingTime}, {"slot", candor.ReasonSlot}, {"heat", candor.ReasonThermal}, {"tokens", candor.ReasonBusyTime}} {
		before := f.sums("w1")[step.code]
		beat(step.kind)
		f.pass(time.Second)
		if got := f.sums("w1")[step.code] - before; got != time.Second {
			t.Errorf("%s: %s of %s; all: %v", step.kind, got, step.code, f.sums("w1"))
		}
	}
}

// While the brain was away nobody saw what a worker did. Whoever left has no
// more time to account for.
func TestTheBrainsAbsenceIsAccountedFor(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.claim("w1")
	f.claim("w2")
	f.pass(2 * time.Minute)
	f.do(Leave{"w2", candor.LeaveRequest{Session: f.at["w2"]}})
	var stored []WorkerRecord
	for _, w := range f.s.roster {
		stored = append(stored, w.record())
	}
	snap := &Snapshot{Workers: stored, Meta: f.s.meta}
	f.s = New(Config{}, snap)
	f.pass(time.Hour)
	if got := f.sums("w1"); got[candor.ReasonBrainAway] != time.Hour || got[candor.ReasonIdleNoWork] != 2*time.Minute {
		t.Errorf("%v", got)
	}
	if got := f.sums("w2"); got[candor.ReasonIdleNoWork] != 2*time.Minute || len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// Since when is since the pause, or since the worker last did something.
func TestSinceIsThePausesOwn(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.claim("w1")
	b := f.submit(cpu("s", items(2))).Batch
	queued := f.tasksOf(b)[1].id
	f.pass(10 * time.Minute)
	f.beat("w1")
	a := f.take("w1")
	paused := f.now
	f.do(Pause{candor.ChangeRequest{Targets: []string{"all"}}})
	f.pass(5 * time.Minute)
	if r := f.why(queued); r.Code != candor.ReasonAllPaused || !r.Since.Equal(paused) {
		t.Errorf("%s since %s, want %s", r.Code, r.Since, paused)
	}
	f.beat("w1", a.Lease)
	f.claim("w1", done(a))
	if r := f.why("w1"); r.Code != candor.ReasonAllPaused || !r.Since.Equal(f.now) {
		t.Errorf("%s since %s, want since it has nothing in hand, %s", r.Code, r.Since, f.now)
	}
	f.do(Resume{candor.ChangeRequest{Targets: []string{"all"}}})
	drained := f.now
	f.do(Drain{candor.ChangeRequest{Targets: []string{"w1"}}})
	f.pass(time.Second)
	if r := f.why("w1"); r.Code != candor.ReasonDraining || !r.Since.Equal(drained) {
		t.Errorf("%s since %s, want %s", r.Code, r.Since, drained)
	}
}
