package sched

import (
	"testing"
	"time"

	"candor"
)

// checkFruitless holds what a held claim takes for still true against all there
// is: nothing that its worker could take is passed over.
func (w *world) checkFruitless(cmd Command) {
	for _, k := range w.s.roster {
		have := w.s.have(k)
		if len(k.running) > 0 || !w.s.stillFruitless(k, &have) {
			continue
		}
		for _, sh := range w.s.shapeList {
			if code, _ := Eligible(&sh.want, &have, nil); sh.ready > 0 && code == "" {
				w.t.Fatalf("%T: %s takes its claim for fruitless, and could take %s", cmd, k.info.Name, sh.want.String())
			}
		}
	}
}

// A held claim that is tried again gets what came since, and what one of its
// worker's own results has made possible.
func TestAHeldClaimIsTriedAgain(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", gpu(8*candor.GiB))
	f.submit(cpu("other", requires("fast")))
	again := func() candor.ClaimReply {
		t.Helper()
		return f.do(Claim{Worker: "w1", Again: true, Req: candor.ClaimRequest{Session: f.at["w1"], Max: 1}}).(candor.ClaimReply)
	}
	seen := f.claim("w1").Report
	f.now = f.now.Add(time.Second)
	f.submit(cpu("another", requires("faster")))
	if r := again(); len(r.Tasks) != 0 || r.Report != seen {
		t.Errorf("for a task that it cannot take, w1 looked at everything: %+v", r)
	}
	f.submit(cpu("mine", items(2)))
	first := again()
	if len(first.Tasks) != 1 {
		t.Fatalf("w1 got %+v", first)
	}
	if r := f.claim("w1"); len(r.Tasks) != 0 {
		t.Fatalf("with its one slot taken w1 got %+v", r)
	}
	f.hand("w1", done(first.Tasks[0]))
	if r := again(); len(r.Tasks) != 1 {
		t.Errorf("with its slot free w1 got %+v", r.Report)
	}
}
