package sched

import (
	"testing"
	"time"

	"candor"
)

// refused is a heartbeat that passes while the worker's calls do not.
func (f *farm) refused(name string, since time.Time, calls map[string]int, running ...candor.LeaseProgress) {
	f.t.Helper()
	req := candor.HeartbeatRequest{Session: f.at[name], Doing: "waiting to ask again", Running: running}
	if calls != nil {
		req.Failing = &candor.Failing{Calls: calls, For: candor.Duration(f.now.Sub(since)), Last: "http://rig:4000 answered 500 Internal Server Error"}
	}
	f.do(Heartbeat{name, req})
	f.do(Tick{})
}

// rejoin registers the same process again, as a worker does whose claim may
// have been granted.
func (f *farm) rejoin(name string, holds ...int64) {
	f.t.Helper()
	in := f.s.workers[name].info
	f.at[name] = f.do(Register{candor.RegisterRequest{Protocol: candor.Protocol, Info: in, Verified: true, Holds: holds}}).(candor.RegisterReply).Session
}

// F09: claims are answered with errors while heartbeats pass. However often the
// worker joins anew, it is one worker whose calls fail since then.
func TestFailingClaimsAreCountedAndNamed(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	since := f.now
	f.told()
	for i := range 12 {
		f.now = f.now.Add(5 * time.Second)
		f.rejoin("w1")
		f.refused("w1", since, map[string]int{"internal": 2 + i, "timeout": 1})
	}
	joins := 0
	for _, e := range f.told() {
		if e.Code == candor.EventWorkerJoined {
			joins++
		}
		if e.Code == candor.EventWorkerNotAsking {
			has(t, e.Text, "w1 is alive", "its calls fail: 13 calls answered internal, 1 call answered timeout since 2026-02-07T21:45:00.000Z", "500")
		}
	}
	if joins != 0 {
		t.Errorf("one process is told to have joined %d times more", joins)
	}
	f.expect(f.why("w1"), candor.ReasonCallsFail, "13 calls answered internal")
	b := f.submit(cpu("s")).Batch
	f.expect(f.why("w1"), candor.ReasonCallsFail, "13 calls answered internal")
	f.expect(f.why(f.tasksOf(b)[0].id), candor.ReasonCallsFail, "w1", "13 calls answered internal")
	a := f.take("w1") // it does ask: what was told of earlier claims does not stand in its way
	f.refused("w1", since, map[string]int{"internal": 14}, candor.LeaseProgress{Lease: a.Lease, Progress: candor.Progress{Kind: "result"}})
	f.expect(f.why("w1"), candor.ReasonCallsFail, "14 calls", "it holds 1 task")
	f.expect(f.why(a.Task), candor.ReasonCallsFail, "has ended on w1, but its result does not come", "14 calls")
	f.hand("w1", done(a))
	f.refused("w1", since, nil)
	f.expect(f.why("w1"), candor.ReasonIdleNoWork)
}

// Two claims in one session: the first was answered, or the worker would have
// joined anew. Its heartbeat, which may be held, need not say so first.
func TestAnsweredClaimsEndTheFailing(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.refused("w1", f.now, map[string]int{"internal": 3})
	f.rejoin("w1")
	f.claim("w1")
	f.expect(f.why("w1"), candor.ReasonCallsFail)
	f.claim("w1")
	f.expect(f.why("w1"), candor.ReasonIdleNoWork)
}

func seen(state string, pid int) HostSeen {
	return HostSeen{candor.HostReport{Supervisor: "up-1", Workers: []candor.HostWorker{{Name: "w1", PID: pid, State: state}}}}
}

// F22: what a supervisor sees is known at once, not when the silence is long
// enough to count: nobody is offered a task, and no task is blamed.
func TestAFrozenWorkerIsNamedAtOnce(t *testing.T) {
	f := newFarm(t, Config{Stuck: map[candor.Class]time.Duration{candor.ClassCPU: 10 * time.Second}})
	f.join("w1", supervised)
	f.claim("w1")
	f.do(seen("stopped", 4001))
	b := f.submit(cpu("s")).Batch
	task := f.tasksOf(b)[0].id
	r := f.why("w1")
	f.expect(r, candor.ReasonFrozen, "w1: its process 4001 is stopped, not dead, since 2026-02-07T21:45:00.000Z")
	if r.Next != "kill -CONT 4001" || r.Mover != candor.MoverOperator {
		t.Errorf("next %q by %s", r.Next, r.Mover)
	}
	held := f.why(task)
	f.expect(held, candor.ReasonFrozen, "w1", "4001 is stopped")
	if held.Next != "kill -CONT 4001" {
		t.Errorf("next %q", held.Next)
	}
	if r := f.do(Claim{Worker: "w1", Again: true, Req: candor.ClaimRequest{Session: f.at["w1"], Max: 1}}).(candor.ClaimReply); len(r.Tasks) > 0 {
		t.Fatal("a held claim of a stopped process was given a task")
	}
	f.do(seen("running", 4001))
	a := f.take("w1")
	f.do(seen("stopped", 4001))
	f.told()
	f.pass(30 * time.Second)
	f.expect(f.why(a.Task), candor.ReasonFrozen, "s is held by w1: its process 4001 is stopped", "taken back after")
	f.expect(f.why("w1"), candor.ReasonFrozen, "it holds 1 task")
	f.do(seen("running", 4001))
	f.pass(time.Second)
	f.expect(f.why(a.Task), candor.ReasonRunning)
	for _, e := range f.told() {
		if e.Code == candor.EventTaskStuck {
			t.Errorf("the task is blamed: %s", e.Text)
		}
	}
}
