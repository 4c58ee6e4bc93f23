package sched

import (
	"testing"
	"time"

	"candor"
)

// stands is a heartbeat of a worker whose claim loop does not move.
func (f *farm) stands(name, doing string, since time.Time, running ...candor.LeaseProgress) {
	f.t.Helper()
	f.do(Heartbeat{name, candor.HeartbeatRequest{Session: f.at[name], Doing: doing, Since: candor.Duration(f.now.Sub(since)), Running: running}})
	f.do(Tick{})
}

// F08: a claim loop that stands still before it asks. Asked before the limit, why
// says that it should have; after it the worker is named, once, with what it is in.
func TestAClaimLoopThatStandsStillIsNamed(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.claim("w1")
	since := f.now
	b := f.submit(cpu("s")).Batch
	task := f.tasksOf(b)[0].id
	f.now = f.now.Add(3 * time.Second)
	f.stands("w1", "load_model", since)
	f.expect(f.why("w1"), candor.ReasonIdleClaiming, "could take 1 of 1 queued task",
		"but the claim loop of w1 has not asked for 3s (in: load_model since 2026-02-07T21:45:00.000Z), and is named as standing still after 1m")
	f.expect(f.why(task), candor.ReasonQueueNext, "but the claim loop of w1 has not asked for 3s")
	f.join("w2")
	if r := f.why(task); len(r.Text) > 80 {
		t.Errorf("another one asks, and yet: %s", r.Text)
	}
	f.do(Leave{"w2", candor.LeaveRequest{Session: f.at["w2"]}})
	f.told()
	for range 4 {
		f.now = f.now.Add(30 * time.Second)
		f.stands("w1", "load_model", since)
	}
	has(t, f.toldOf(candor.EventWorkerNotAsking), "w1 is alive (heartbeat 0s ago), but its claim loop has not asked for 1m", "(in: load_model since 2026-02-07T21:45:00.000Z)")
	r := f.why("w1")
	f.expect(r, candor.ReasonNotAsking, "has not asked for 2m3s")
	if r.Next != "kill -QUIT 4001" || !r.Since.Equal(since) || r.Mover != candor.MoverOperator {
		t.Errorf("next %q, since %s, the move is %s's", r.Next, r.Since, r.Mover)
	}
	f.expect(f.why(task), candor.ReasonNotAsking, "w1")
	f.do(Drain{change("w1")})
	f.expect(f.why("w1"), candor.ReasonNotAsking, "has not asked for 2m3s")
	f.do(Undrain{change("w1")})
	f.take("w1")
}

// A claim that the brain holds is no silence, however short the limit.
func TestAHeldClaimIsNoSilence(t *testing.T) {
	f := newFarm(t, Config{Asking: time.Second})
	f.join("w1")
	f.do(Claim{Worker: "w1", Req: candor.ClaimRequest{Session: f.at["w1"], Max: 1, Wait: candor.Duration(20 * time.Second)}})
	since := f.now
	f.now = f.now.Add(20 * time.Second)
	f.stands("w1", "waiting for work", since)
	f.expect(f.why("w1"), candor.ReasonIdleNoWork, "nothing is queued")
	f.now = f.now.Add(3 * time.Second)
	f.stands("w1", "waiting for work", since)
	f.expect(f.why("w1"), candor.ReasonNotAsking, "has not asked for 23s (in: waiting for work since")
}

// One slot, and in it a task that has ended: the loop that should deliver it is
// awaited from then on, not since it asked an hour ago.
func TestAResultThatIsNotDeliveredIsNamed(t *testing.T) {
	f := newFarm(t, Config{Stuck: map[candor.Class]time.Duration{}})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	for range 60 {
		f.now = f.now.Add(time.Minute)
		f.stands("w1", "running s", f.now, candor.LeaseProgress{Lease: a.Lease, Progress: candor.Progress{Kind: "cpu", At: f.now}})
	}
	ended := candor.LeaseProgress{Lease: a.Lease, Progress: candor.Progress{Kind: "result"}}
	since := f.now
	f.stands("w1", "claiming", since, ended)
	f.expect(f.why(a.Task), candor.ReasonRunning, "s has ended on w1, whose result is on its way")
	f.now = f.now.Add(30 * time.Second)
	f.stands("w1", "claiming", since, ended)
	f.expect(f.why(a.Task), candor.ReasonRunning, "its way; but the claim loop of w1 has not asked for 30s (in: claiming since")
	f.now = f.now.Add(30 * time.Second)
	f.stands("w1", "claiming", since, ended)
	f.expect(f.why(a.Task), candor.ReasonNotAsking, "s has ended on w1, but its result does not come: w1 is alive", "has not asked for 1m (in: claiming since")
	f.expect(f.why("w1"), candor.ReasonNotAsking, "has not asked for 1m", "it holds 1 task")
	has(t, f.toldOf(candor.EventWorkerNotAsking), "has not asked for 1m")
	f.now = f.now.Add(10 * time.Second)
	f.stands("w1", "claiming", since, ended)
	if spent := f.sums("w1")[candor.ReasonNotAsking]; spent < 10*time.Second {
		t.Errorf("of its time %s went to it", spent)
	}
}
