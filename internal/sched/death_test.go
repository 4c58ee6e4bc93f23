package sched

import (
	"strings"
	"testing"
	"time"

	"candor"
)

func exited(f *farm, name string, clean bool, left ...string) {
	f.t.Helper()
	f.do(HostSeen{candor.HostReport{Supervisor: "up-1", Workers: []candor.HostWorker{{
		Name: name, PID: f.s.workers[name].info.PID, State: "exited", Exit: "signal: KILL (9)", Clean: clean, Leftover: left,
	}}}})
}

// F20: a crash that the worker still tells itself.
func TestACrashRequeuesWithoutCounting(t *testing.T) {
	f := newFarm(t, Config{PoisonHold: -1})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.told()
	f.do(Leave{"w1", candor.LeaveRequest{Session: f.at["w1"], Crash: "index out of range", Completed: 15}})
	told := f.told()
	if told[0].Text != "Worker w1 crashed: index out of range - completed 15 tasks, failed 0" || told[0].Level != candor.LevelError {
		t.Fatal(told[0].Text)
	}
	has(t, told[1].Text, "requeued, attempt 1 not counted", "w1 left before it was done")
	f.join("w2")
	if b := f.take("w2"); b.Task != a.Task || b.Attempt != 2 || f.s.tasks.find(a.Task).counted != 0 {
		t.Fatalf("%+v", b)
	}
}

// F21: killed, and nobody there to see it: by silence alone.
func TestAKilledWorkerIsNamedByItsSilence(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.told()
	for range 16 {
		f.pass(4 * time.Second)
		f.beat("w2")
	}
	has(t, f.toldOf(candor.EventWorkerLost), "Worker w1: last heartbeat 1m ago (threshold 1m); 1 task in its hands, taken back after 2m of silence")
	f.expect(f.why(a.Task), candor.ReasonOffline, "last heartbeat 1m4s ago (threshold 1m)")
	f.expect(f.why("w1"), candor.ReasonWorkerLost, "1m4s ago")
	f.pass(56 * time.Second)
	var twice, back bool
	for _, e := range f.told() {
		twice = twice || e.Code == candor.EventRunsTwice && strings.Contains(e.Text, "its process on w1 could not be seen dead")
		back = back || e.Code == candor.EventTaskRequeued && strings.Contains(e.Text, "attempt 1 not counted: w1 silent for 2m (lease 2m)")
	}
	if !twice || !back {
		t.Fatalf("told that it may run twice: %v, that it is requeued: %v", twice, back)
	}
	f.beat("w2")
	if f.take("w2").Task != a.Task {
		t.Fatal("another task")
	}
}

// F21 with a supervisor: known at once, and nothing is left that runs twice.
func TestASupervisedDeathIsKnownAtOnce(t *testing.T) {
	f := newFarm(t, Config{PoisonHold: -1})
	f.join("w1", supervised)
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(4 * time.Second)
	f.told()
	exited(f, "w1", true)
	told := f.told()
	has(t, told[0].Text, "Worker w1 exited (pid 4001): signal: KILL (9); last heartbeat 4s ago; 1 task in its hands")
	if f.state(a.Task) != candor.TaskQueued || len(told) != 2 {
		t.Fatalf("%s, %+v", f.state(a.Task), told)
	}
	if _, err := f.try(Claim{Worker: "w1", Req: candor.ClaimRequest{Session: 0, Max: 1}}); candor.CodeOf(err) != candor.CodeStale {
		t.Fatalf("a claim without a session: %v", err)
	}
}

// F22, F24: frozen. Told apart from dead; nobody begins before its processes
// have ended; what it says after the thaw is fenced.
func TestAFrozenWorkerIsFencedBeforeAnybodyElseBegins(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.told()
	stopped := HostSeen{candor.HostReport{Supervisor: "up-1", Workers: []candor.HostWorker{{Name: "w1", PID: 4001, State: "stopped"}}}}
	f.do(stopped)
	has(t, f.toldOf(candor.EventWorkerStopped), "Worker w1 is stopped, not dead (pid 4001, SIGSTOP): kill -CONT 4001 wakes it")
	for range 12 {
		f.pass(10 * time.Second)
		f.beat("w2")
		f.do(stopped)
	}
	f.expect(f.why("w1"), candor.ReasonWorkerLost, "its process 4001 is stopped")
	f.expect(f.why(a.Task), candor.ReasonFencing, "until its process on w1 is known dead")
	if r := f.claim("w2"); len(r.Tasks) > 0 {
		t.Fatal("a second copy was handed out while the first may live")
	}
	orders := f.s.HostOrders("up-1").Fence
	if len(orders) != 1 || orders[0].Lease != a.Lease || orders[0].Worker != "w1" {
		t.Fatalf("orders %+v", orders)
	}
	f.do(HostSeen{candor.HostReport{Supervisor: "up-1", Fenced: []candor.FenceReport{{Lease: a.Lease, Worker: "w1", Dead: true}}}})
	b := f.take("w2")
	for _, e := range f.told() {
		if e.Code == candor.EventRunsTwice {
			t.Fatalf("nothing runs twice: %s", e.Text)
		}
	}
	abort := f.beat("w1", a.Lease).Abort
	if len(abort) != 1 || abort[0].Lease != a.Lease || abort[0].Reason != candor.ReasonFenced {
		t.Fatalf("after the thaw it is told %+v", abort)
	}
	if v := f.hand("w1", done(a)); len(v) != 1 || v[0].Verdict != candor.ResultFenced {
		t.Fatalf("verdict %+v", v)
	}
	has(t, f.toldOf(candor.EventResultFenced), "from w1 under lease 1 (done) refused: attempt 2 runs on w2 under lease 2")
	if f.hand("w2", done(b)) != nil || f.state(a.Task) != candor.TaskComplete {
		t.Fatal("the second attempt does not count")
	}
}

// F24: the supervisor cannot end it: then it is named.
func TestWhatCannotBeEndedIsNamed(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.submit(cpu("s"))
	f.take("w1")
	f.told()
	exited(f, "w1", false, "pid 8812")
	has(t, f.toldOf(candor.EventRunsTwice), "may run twice: pid 8812 on w1")
}

// F23: cut off for 90 seconds: the result is taken, and nothing was doubled.
func TestACutOffWorkerDeliversOnce(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	for range 90 {
		f.pass(time.Second)
		f.beat("w2")
	}
	if r := f.claim("w2"); len(r.Tasks) > 0 {
		t.Fatal("handed out again while cut off")
	}
	f.told()
	if v := f.hand("w1", done(a)); v != nil {
		t.Fatalf("verdicts %+v", v)
	}
	if v := f.hand("w1", done(a)); len(v) != 1 || v[0].Verdict != candor.ResultRepeated {
		t.Fatalf("again: %+v", v)
	}
	told := f.told()
	has(t, told[0].Text, "Worker w1 is back after 1m30s of silence")
	if f.state(a.Task) != candor.TaskComplete {
		t.Fatal(f.state(a.Task))
	}
}

// A good result whose lease is over is taken while nobody has begun again.
func TestALateResultIsTakenIfNobodyHasBegun(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(3 * time.Minute)
	if f.state(a.Task) != candor.TaskQueued {
		t.Fatal(f.state(a.Task))
	}
	if v := f.hand("w1", done(a)); len(v) != 1 || v[0].Verdict != candor.ResultLate || f.state(a.Task) != candor.TaskComplete {
		t.Fatalf("%+v", v)
	}
}

// A failure that is sent again was recorded before, whatever the task does now.
func TestARepeatedFailureIsNotFenced(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s", retries(3)))
	a := f.take("w1")
	f.hand("w1", exit1(a))
	if v := f.hand("w1", exit1(a)); v[0].Verdict != candor.ResultRepeated || f.s.tasks.find(a.Task).counted != 1 {
		t.Fatalf("while it waits: %+v", v)
	}
	f.pass(time.Second)
	f.take("w1")
	if v := f.hand("w1", exit1(a)); v[0].Verdict != candor.ResultRepeated {
		t.Fatalf("while it runs again: %+v", v)
	}
}

// What the brain gave up and then ended is no repetition: it is said.
func TestAGoodResultOfAnEndedTaskIsNotDroppedInSilence(t *testing.T) {
	f := newFarm(t, Config{FreeTries: 1})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(3 * time.Minute)
	if f.state(a.Task) != candor.TaskFailed {
		t.Fatal(f.state(a.Task))
	}
	f.told()
	if v := f.hand("w1", done(a)); v[0].Verdict != candor.ResultFenced {
		t.Fatalf("%+v", v)
	}
	has(t, f.toldOf(candor.EventResultFenced), "refused: the task is failed without it")
}
