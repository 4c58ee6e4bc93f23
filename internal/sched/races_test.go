package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// waits begins a claim that is held; tried again it is as the brain does.
func (f *farm) waits(name string) candor.ClaimReply      { return f.heldClaim(name, false) }
func (f *farm) triedAgain(name string) candor.ClaimReply { return f.heldClaim(name, true) }

func (f *farm) heldClaim(name string, again bool) candor.ClaimReply {
	f.t.Helper()
	req := candor.ClaimRequest{Session: f.at[name], Max: 1, Wait: candor.Duration(5 * time.Second)}
	return f.do(Claim{Worker: name, Req: req, Again: again}).(candor.ClaimReply)
}

func (f *farm) races(name string) *candor.Races { return f.s.racesOf(f.s.workers[name]) }

// F10: who waits and sees others get the tasks has that in its ledger: from whom,
// how often, by how much; and its why says so.
func TestRacesLostAreInALedger(t *testing.T) {
	f := newFarm(t, Config{})
	names := []string{"w1", "w2", "w3"}
	for _, name := range names {
		f.join(name)
	}
	for range 3 {
		for _, name := range names {
			f.now = f.now.Add(100 * time.Millisecond)
			f.waits(name)
		}
		f.submit(cpu("s"))
		a := f.triedAgain("w1").Tasks[0]
		f.triedAgain("w2")
		f.hand("w1", ended(a, candor.AttemptDone, "", ""))
	}
	for i, name := range []string{"w2", "w3"} { // w3 was looked at when it asked anew
		r := f.races(name)
		if r.Lost != 3 || r.Won != 0 || len(r.To) != 1 || r.To[0].Worker != "w1" || r.To[0].Lost != 3 || r.AtLeast {
			t.Errorf("%s: %+v", name, r)
			continue
		}
		if want := candor.Duration(time.Duration(i+1) * 100 * time.Millisecond); r.To[0].Median != want || r.To[0].Last != want {
			t.Errorf("%s: margins %s and %s, want %s", name, r.To[0].Median, r.To[0].Last, want)
		}
	}
	if r := f.races("w1"); r.Won != 3 || r.Lost != 0 {
		t.Errorf("w1: %+v", r)
	}
	f.expect(f.why("w2"), candor.ReasonIdleNoWork, "nothing is queued; while it waited, since "+candor.FormatTime(f.s.workers["w2"].joined),
		"3 tasks went to others and 0 to it: 3 to w1, which had asked 100ms earlier")
	f.now = f.now.Add(time.Second)
	f.join("w2")
	if r := f.races("w2"); r.Lost != 0 || !r.Since.Equal(f.now) {
		t.Errorf("after a new start: %+v", r)
	}
}

// What a worker could not have begun, it has not lost; nor what went before it asked.
func TestRacesAreOnlyWhatOneCouldHaveBegun(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", tools("ffmpeg"))
	f.join("w2")
	f.submit(cpu("s"))
	f.take("w1")
	f.now = f.now.Add(time.Second)
	f.waits("w2")
	if r := f.races("w2"); r.Lost != 0 {
		t.Errorf("lost before it asked: %+v", r)
	}
	f.join("w3", tools("ffmpeg"))
	f.submit(cpu("s", func(st *candor.Step) { st.Requires.Tools = []string{"ffmpeg"} }))
	f.take("w3")
	f.triedAgain("w2")
	if r := f.races("w2"); r.Lost != 0 {
		t.Errorf("lost what it lacks a tool for: %+v", r)
	}
}

// A ledger is bounded: of many rivals the latest are named, and of more takings
// than are kept it is said that there were more.
func TestRacesAreBounded(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("late")
	f.waits("late")
	for i := range rivalsKept + 10 {
		name := fmt.Sprint("w", i)
		f.join(name)
		f.now = f.now.Add(time.Second)
		f.submit(cpu("s"))
		if r := f.waits(name); len(r.Tasks) != 1 {
			t.Fatalf("%s got %+v", name, r)
		}
		f.triedAgain("late")
	}
	r := f.races("late")
	if r.Lost != rivalsKept+10 || len(r.To) != rivalsKept || r.Others != 10 || r.AtLeast {
		t.Errorf("lost %d to %d and %d others", r.Lost, len(r.To), r.Others)
	}
	if r.To[0].Last >= 0 || candor.SayMargin(r.To[0].Last)[:6] != "asked " {
		t.Errorf("who asks later and is served first: %s", candor.SayMargin(r.To[0].Last))
	}
	f.join("fast", func(in *candor.WorkerInfo) { in.Slots = takingsKept + 10 })
	f.submit(cpu("s", items(takingsKept+10)))
	f.s.workers["late"].due = time.Time{} // nothing is left to one who does not ask
	for range takingsKept + 10 {
		f.waits("fast")
	}
	if r := f.races("late"); !r.AtLeast || len(f.s.shapeList[0].takings.ring) != takingsKept {
		t.Errorf("after more than are kept: %+v, %d kept", r, len(f.s.shapeList[0].takings.ring))
	}
}
