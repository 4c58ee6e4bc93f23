package brain_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/sched"
)

// fast are rules by which a worker is lost in seconds.
func fast(o *brain.Options) {
	o.Sched = sched.Config{Heartbeat: time.Second, Lost: 10 * time.Second, Lease: 20 * time.Second}
}

func TestHeldClaimWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		session := r.join("worker-1", 1)
		begun := time.Now()
		waiting := r.begin(t.Context(), claim("worker-1", session, 1, 30*time.Second))
		time.Sleep(5 * time.Second) // of the bubble
		batch := r.submit(1)
		a := <-waiting
		if a.err != nil {
			t.Fatal(a.err)
		}
		reply := a.reply.(candor.ClaimReply)
		if len(reply.Tasks) != 1 || reply.Steps[0].Batch != batch.Batch {
			t.Errorf("the held claim brought %+v", reply)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it woke after %s, want when the work came", took)
		}
	})
}

// TestHeldClaimsInOrder: who waits longest is served first.
func TestHeldClaimsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		one, two := r.join("worker-1", 1), r.join("worker-2", 1)
		first := r.begin(t.Context(), claim("worker-2", two, 1, 30*time.Second))
		synctest.Wait()
		second := r.begin(t.Context(), claim("worker-1", one, 1, 30*time.Second))
		synctest.Wait()
		r.submit(1)
		if a := <-first; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("who asked first got %+v, %v", a.reply, a.err)
		}
		r.submit(1)
		if a := <-second; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("who asked second got %+v, %v", a.reply, a.err)
		}
	})
}

func TestHeldClaimTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		session := r.join("worker-1", 1)
		must[candor.SubmitReply](r, sched.Submit{Sub: modelPlan()})
		for _, c := range []struct{ ask, want time.Duration }{{3 * time.Second, 3 * time.Second}, {time.Hour, time.Minute}} {
			begun := time.Now()
			reply := must[candor.ClaimReply](r, claim("worker-1", session, 1, c.ask))
			if took := time.Since(begun); took != c.want {
				t.Errorf("a wait of %s took %s, want %s", c.ask, took, c.want)
			}
			if reply.Report == nil || reply.Report.Queued[candor.ClassLLM] != 1 || reply.Report.Refused[candor.ReasonWrongClass] != 1 {
				t.Errorf("the report says %+v", reply.Report)
			}
		}
	})
}

// TestHeldClaimTellsOfTheQueueAsItIs: when its time is over, what it saw at its
// beginning may be long gone.
func TestHeldClaimTellsOfTheQueueAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		session := r.join("worker-1", 1)
		batch := must[candor.SubmitReply](r, sched.Submit{Sub: modelPlan()})
		waiting := r.begin(t.Context(), claim("worker-1", session, 1, 5*time.Second))
		time.Sleep(2 * time.Second) // of the bubble
		must[candor.ChangeReply](r, sched.Cancel{Req: candor.ChangeRequest{Targets: []string{batch.Batch.String()}}})
		begun := time.Now()
		a := <-waiting
		if a.err != nil {
			t.Fatal(a.err)
		}
		report := a.reply.(candor.ClaimReply).Report
		if report == nil || report.Queued[candor.ClassLLM] != 0 || len(report.Refused) > 0 || !report.At.Equal(time.Now()) {
			t.Errorf("the report says %+v", report)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it was answered %s after the cancel, want when its time was over", took)
		}
		for _, w := range must[[]candor.Worker](r, sched.Workers{}) {
			if w.Reason == nil || w.Reason.Code != candor.ReasonIdleNoWork {
				t.Errorf("%s is idle because of %+v", w.Name, w.Reason)
			}
		}
	})
}

// TestHeldClaimOfAGoneCaller is forgotten: its task goes to somebody who is there.
func TestHeldClaimOfAGoneCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		one, two := r.join("worker-1", 1), r.join("worker-2", 1)
		ctx, cancel := context.WithCancel(t.Context())
		gone := r.begin(ctx, claim("worker-1", one, 1, 30*time.Second))
		synctest.Wait()
		stays := r.begin(t.Context(), claim("worker-2", two, 1, 30*time.Second))
		synctest.Wait()
		cancel()
		if a := <-gone; !errors.Is(a.err, context.Canceled) {
			t.Errorf("who left got %+v, %v", a.reply, a.err)
		}
		r.submit(1)
		if a := <-stays; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("who stayed got %+v, %v", a.reply, a.err)
		}
		for _, w := range must[[]candor.Worker](r, sched.Workers{}) {
			if want := map[string]int{"worker-1": 0, "worker-2": 1}[w.Name]; len(w.Running) != want {
				t.Errorf("%s runs %+v, want %d", w.Name, w.Running, want)
			}
		}
	})
}

// TestHeldClaimOfAFormerSession hears that it is stale as soon as there is work.
func TestHeldClaimOfAFormerSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		old := r.begin(t.Context(), claim("worker-1", r.join("worker-1", 1), 1, 30*time.Second))
		synctest.Wait()
		session := r.join("worker-1", 1)
		if a := <-old; candor.CodeOf(a.err) != candor.CodeStale {
			t.Errorf("the former session got %+v, %v", a.reply, a.err)
		}
		r.submit(1)
		r.work("worker-1", session, 1)
	})
}

// TestClaimWithResultsIsNotHeld: verdicts must not wait for work to come.
func TestClaimWithResultsIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		session := r.join("worker-1", 1)
		r.submit(1)
		reply := must[candor.ClaimReply](r, claim("worker-1", session, 1, 0))
		begun := time.Now()
		must[candor.ClaimReply](r, claim("worker-1", session, 1, 30*time.Second, done(reply, candor.AttemptDone)...))
		if took := time.Since(begun); took != 0 {
			t.Errorf("a claim that brought results was held for %s", took)
		}
	})
}

func TestHeartbeatIsHeldUntilAnOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, fast)
		session := r.join("worker-1", 1)
		batch := r.submit(1)
		running := must[candor.ClaimReply](r, claim("worker-1", session, 1, 0))
		beat := sched.Heartbeat{Worker: "worker-1", Req: candor.HeartbeatRequest{
			Session: session, Doing: "running", Wait: candor.Duration(5 * time.Second),
			Running: []candor.LeaseProgress{{Lease: running.Tasks[0].Lease, Progress: candor.Progress{PID: 912}}},
		}}
		begun := time.Now()
		if reply := must[candor.HeartbeatReply](r, beat); len(reply.Abort) > 0 {
			t.Errorf("nothing was cancelled, but: %+v", reply)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("without news it was held for %s, want the wait it asked for", took)
		}
		waiting := r.begin(t.Context(), beat)
		time.Sleep(time.Second) // of the bubble
		must[candor.ChangeReply](r, sched.Cancel{Req: candor.ChangeRequest{Targets: []string{batch.Batch.String()}}})
		begun = time.Now()
		a := <-waiting
		if a.err != nil {
			t.Fatal(a.err)
		}
		abort := a.reply.(candor.HeartbeatReply).Abort
		if len(abort) != 1 || abort[0].Lease != running.Tasks[0].Lease || abort[0].Reason != candor.ReasonCancelled {
			t.Errorf("the order is %+v", abort)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("the order came %s late", took)
		}
	})
}

func TestDrainReachesAHeldHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, fast)
		session := r.join("worker-1", 1)
		waiting := r.begin(t.Context(), sched.Heartbeat{Worker: "worker-1", Req: candor.HeartbeatRequest{Session: session, Wait: candor.Duration(5 * time.Second)}})
		synctest.Wait()
		begun := time.Now()
		must[candor.ChangeReply](r, sched.Drain{Req: candor.ChangeRequest{Targets: []string{"worker:worker-1"}}})
		a := <-waiting
		if a.err != nil || !a.reply.(candor.HeartbeatReply).Draining || time.Since(begun) != 0 {
			t.Errorf("after %s the heartbeat says %+v, %v", time.Since(begun), a.reply, a.err)
		}
	})
}

// TestHostReportIsHeldUntilAFence: a supervisor hears at once that it is to end
// what a silent worker left running.
func TestHostReportIsHeldUntilAFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, fast)
		reply := must[candor.RegisterReply](r, sched.Register{Req: candor.RegisterRequest{Protocol: candor.Protocol, Verified: true,
			Info: candor.WorkerInfo{Name: "worker-1", PID: 912, Classes: []candor.Class{candor.ClassCPU}, Slots: 1, Supervisor: "rig"}}})
		r.submit(1)
		running := must[candor.ClaimReply](r, claim("worker-1", reply.Session, 1, 0))
		report := sched.HostSeen{Report: candor.HostReport{Supervisor: "rig", Wait: candor.Duration(8 * time.Second),
			Workers: []candor.HostWorker{{Name: "worker-1", PID: 912, State: "stopped"}}}}
		begun := time.Now()
		var fence []candor.FenceOrder
		for len(fence) == 0 && time.Since(begun) < time.Minute {
			fence = must[candor.HostReply](r, report).Fence
		}
		if len(fence) != 1 || fence[0].Lease != running.Tasks[0].Lease || fence[0].Worker != "worker-1" {
			t.Fatalf("the order is %+v", fence)
		}
		if took := time.Since(begun); took < 20*time.Second || took > 22*time.Second {
			t.Errorf("it came after %s, want when the lease of 20s ended", took)
		}
	})
}
