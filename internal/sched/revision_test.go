package sched

import (
	"testing"
	"time"

	"candor"
)

// F64: every explanation says of which revision and which instant it speaks, so
// that one that was kept is known as old by the next one.
func TestAnAnswerSaysOfWhichStateItIs(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinServing("w1", []string{"m"}, serving())
	b := f.submit(llm("topics", "m", 2)).Batch
	f.told()
	ask := func() map[string]stamp {
		t.Helper()
		of := map[string]stamp{}
		for _, target := range []string{"w1", b.String(), f.tasksOf(b)[0].id.String()} {
			x := f.do(Why{target}).(candor.Explanation)
			if x.Revision != f.s.Revision() {
				t.Errorf("why %s speaks of revision %d, it is %d", target, x.Revision, f.s.Revision())
			}
			of[target] = x.At
		}
		m := f.do(Models{}).([]candor.ModelView)[0]
		if m.Revision != f.s.Revision() {
			t.Errorf("model %s speaks of revision %d, it is %d", m.Name, m.Revision, f.s.Revision())
		}
		of[m.Name] = m.At
		return of
	}
	before, revision := ask(), f.s.Revision()
	f.now = f.now.Add(time.Minute)
	f.do(Pause{change(b.String())})
	f.told()
	if f.s.Revision() <= revision {
		t.Fatalf("after a change it is revision %d, it was %d", f.s.Revision(), revision)
	}
	for target, at := range ask() {
		if at.Sub(before[target]) != time.Minute {
			t.Errorf("%s: %s, a minute ago it was %s", target, at, before[target])
		}
	}
}
