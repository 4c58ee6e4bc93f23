package sched

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// TestNoInterleavingLosesOrDoublesATask lets people, workers, supervisors,
// crashes and the clock act in any order, checks every law after each of them,
// then mends everything and waits for all batches to end.
func TestNoInterleavingLosesOrDoublesATask(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(5, longest).Draw(t, "length") {
			w.act()
			if rapid.IntRange(0, 2).Draw(t, "commit") > 0 {
				w.commit()
			}
		}
		w.reload()
		w.mend()
	})
}

func (w *world) act() {
	switch n := rapid.IntRange(0, 49).Draw(w.t, "action"); {
	case n < 2:
		w.submit()
	case n < 6:
		w.pass()
	case n < 8:
		w.change()
	case n < 9:
		w.crash()
	case n < 10:
		w.recall()
	case n < 13:
		w.hostSeen("up-1", rapid.IntRange(0, 3).Draw(w.t, "clean"))
	case n < 14:
		w.silence()
	case n < 15:
		w.massacre()
	case n < 16:
		w.reload()
	case n < 17:
		w.slowRoad()
	case n < 19:
		w.orderModel()
	case n < 20:
		w.configure()
	case n < 21:
		w.sleep()
	case n < 23:
		w.serverActs(rapid.SampledFrom(w.workers).Draw(w.t, "of"))
	case n < 25:
		w.echo()
	default:
		w.workerActs(rapid.SampledFrom(w.workers).Draw(w.t, "worker"), n-25)
	}
}

// silence is a time in which workers say nothing, and their supervisor does.
func (w *world) silence() {
	for range rapid.IntRange(1, 6).Draw(w.t, "rounds") {
		w.commit()
		w.now = w.now.Add(5 * time.Second)
		w.do(Tick{}, nil)
		w.hostSeen("up-1", 0)
	}
	w.commit()
	w.hostSeen("up-1", 0)
}

// massacre kills a worker with what it runs, lets it come back, and so again.
func (w *world) massacre() {
	w.commit()
	for range rapid.IntRange(1, 4).Draw(w.t, "deaths") {
		k := rapid.SampledFrom(w.workers).Draw(w.t, "victim")
		w.start(k, true)
		w.commit()
		w.claim(k, 2, inTime)
		w.commit()
		w.kill(k)
		w.hostSeen("up-1", 2)
		w.commit()
	}
}

// slowRoad holds up the answer to a worker's claim while its heartbeats go
// through and others ask for work, with or without a crash of the brain.
func (w *world) slowRoad() {
	k := rapid.SampledFrom(w.workers).Draw(w.t, "slow")
	if !k.up() {
		w.start(k, true)
		w.commit()
	}
	w.claim(k, 2, late)
	for range rapid.IntRange(3, 5).Draw(w.t, "rounds") {
		w.commit()
		w.now = w.now.Add(2 * time.Second)
		w.do(Tick{}, nil)
		if rapid.IntRange(0, 9).Draw(w.t, "crash") == 0 {
			w.crash()
		}
		if k.up() {
			w.heartbeat(k, rapid.IntRange(0, 9).Draw(w.t, "unheard") == 0)
		}
		for _, o := range w.workers {
			if o != k && o.up() {
				w.heartbeat(o, false)
				w.claim(o, 2, inTime)
			}
		}
	}
	w.commit()
	w.arrives(k)
}

func (w *world) workerActs(k *simWorker, n int) {
	unheard := rapid.IntRange(0, 5).Draw(w.t, "lost answer") == 0
	switch {
	case !k.alive:
		w.start(k, rapid.IntRange(0, 3).Draw(w.t, "verified") > 0)
	case k.frozen:
		k.frozen = rapid.IntRange(0, 2).Draw(w.t, "thaw") > 0
	case n == 0:
		w.kill(k)
	case n == 1:
		k.frozen = true
	case k.session == 0:
		w.register(k, true, nil)
	case n == 2:
		w.leave(k, rapid.SampledFrom([]string{"", "panic: out of range"}).Draw(w.t, "crash"))
	case n == 3:
		w.register(k, true, nil)
	case n == 4:
		k.view = rapid.SampledFrom(views).Draw(w.t, "view")
	case n < 9:
		w.heartbeat(k, unheard)
	case n < 10:
		w.arrives(k)
	case n < 17:
		w.claim(k, rapid.IntRange(0, 4).Draw(w.t, "max"), rapid.SampledFrom([]string{inTime, inTime, inTime, inTime, late, lost}).Draw(w.t, "answer"))
	default:
		w.endOne(k)
	}
}

// views are what a worker may see of itself.
var views = []candor.View{
	{State: candor.WorkerReady}, {State: candor.WorkerHot, Model: "m"}, {State: candor.WorkerHot, Model: "other"}, {State: candor.WorkerLoading},
	{State: candor.WorkerPaused}, {State: candor.WorkerCold, GPU: &candor.GPU{Total: 4 * candor.GiB, Free: 2 * candor.GiB}},
}

// endOne ends one attempt, well or not; rarely its manifest is missing.
func (w *world) endOne(k *simWorker) {
	leases := w.leasesOf(k)
	if len(leases) == 0 {
		return
	}
	outcomes := []candor.AttemptOutcome{
		candor.AttemptDone, candor.AttemptDone, candor.AttemptDone, candor.AttemptDone, candor.AttemptFailed, candor.AttemptTransient,
		candor.AttemptPermanent, candor.AttemptTimeout, candor.AttemptSilent, candor.AttemptAborted, candor.AttemptBadWorker,
	}
	w.finish(rapid.SampledFrom(leases).Draw(w.t, "lease"), rapid.SampledFrom(outcomes).Draw(w.t, "outcome"),
		rapid.IntRange(0, 9).Draw(w.t, "no manifest") == 0)
}

// mend makes everything well, and expects every batch to end: a task that is
// left over was lost.
func (w *world) mend() {
	w.commit()
	w.heal()
	if len(w.s.pauses) > 0 {
		req := candor.ChangeRequest{}
		for _, p := range w.s.pauses {
			req.Targets = append(req.Targets, scopeArg(p))
		}
		for _, target := range req.Targets { // a paused batch may have left memory
			w.do(Resume{candor.ChangeRequest{Targets: []string{target}}}, nil)
		}
	}
	if len(w.s.roster) > 0 {
		w.do(Undrain{candor.ChangeRequest{Targets: []string{"all"}}}, nil)
	}
	for _, k := range w.workers {
		k.info.Classes, k.info.Labels, k.info.Tools = candor.Classes(), []string{"fast"}, []string{"ffmpeg"}
		k.info.GPU = &candor.GPU{Total: 80 * candor.GiB, Free: 80 * candor.GiB}
		k.view = candor.View{State: candor.WorkerHot, Model: "m"}
		w.start(k, true)
	}
	w.commit()
	for range 400 {
		if !slices.ContainsFunc(w.s.order, func(b *batch) bool { return b.rec.State == candor.BatchActive }) {
			w.checkEnd()
			return
		}
		w.now = w.now.Add(w.cfg.Lost / 2)
		w.do(Tick{}, nil)
		for _, k := range w.workers {
			w.heartbeat(k, false)
			w.commit()
			for _, lease := range w.leasesOf(k) {
				w.finish(lease, candor.AttemptDone, false)
			}
			w.claim(k, 4, inTime)
			w.commit()
		}
	}
	for _, b := range w.s.order {
		for t := range b.eachTask() {
			if !t.state.final() {
				reply, _ := w.s.Apply(w.now, Why{t.id.String()})
				w.t.Errorf("%s of %s is %s: %s", t.name(), b.rec.ID, stateNames[t.state], reply.(candor.Explanation).Reason.Text)
			}
		}
	}
	w.t.Fatal("with everything mended, not everything ends")
}

// checkEnd holds what is on disk against what must be there at the end.
func (w *world) checkEnd() {
	w.commit()
	for id, b := range w.disk.batches {
		if b.State != candor.BatchComplete {
			w.t.Fatalf("batch %s is %s on disk", id, b.State)
		}
	}
	for id, r := range w.disk.tasks {
		if !r.State.Final() {
			w.t.Fatalf("task %s is %s on disk", id, r.State)
		}
	}
	for i := range w.taken {
		w.checkTaken(i)
	}
}
