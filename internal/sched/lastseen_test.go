package sched

import (
	"testing"
	"time"

	"candor"
)

// seenOf is a heartbeat of a worker that runs one task.
func (f *farm) seenOf(name string, lease int64, p candor.Progress) {
	f.t.Helper()
	if p.At.IsZero() {
		p.At = f.now
	}
	f.do(Heartbeat{name, candor.HeartbeatRequest{Session: f.at[name], Running: []candor.LeaseProgress{{Lease: lease, Progress: p}}}})
	f.do(Tick{})
}

// F25: a job that spins moves, for all that can be measured. What was seen of it
// is said, for a person to judge.
func TestASpinningJobSaysWhatWasSeen(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("spins"))
	a := f.take("w1")
	p := candor.Progress{Kind: "cpu", State: "running", PID: 812}
	for range 10 {
		f.now = f.now.Add(time.Second)
		p.CPU += candor.Duration(time.Second)
		f.seenOf("w1", a.Lease, p)
	}
	f.expect(f.why(a.Task), candor.ReasonRunning,
		"spins runs on w1 for 10s, attempt 1: nothing printed, written or reported since it started, 10s of CPU time used, pid 812 is running")
	f.now = f.now.Add(time.Second)
	p.Kind, p.Bytes = "output", 2048
	f.seenOf("w1", a.Lease, p)
	f.now = f.now.Add(3 * time.Second)
	p.Kind = "cpu"
	f.seenOf("w1", a.Lease, p)
	f.expect(f.why(a.Task), candor.ReasonRunning, "last sign of its own 3s ago, 2 KiB printed, 10s of CPU time used")
}

// A job that has stopped itself is named at once, with what wakes it; asked about,
// its worker says so, too, and of all that stands still on it.
func TestAStoppedJobIsNamedAtOnce(t *testing.T) {
	f := newFarm(t, Config{Stuck: map[candor.Class]time.Duration{candor.ClassCPU: 10 * time.Second}})
	f.join("w1", func(in *candor.WorkerInfo) { in.Slots = 2 })
	f.submit(cpu("s", items(2)))
	r := f.claim("w1")
	beat := func() {
		f.t.Helper()
		f.do(Heartbeat{"w1", candor.HeartbeatRequest{Session: f.at["w1"], Running: []candor.LeaseProgress{
			{Lease: r.Tasks[0].Lease, Progress: candor.Progress{Kind: "output", State: "sleeping", PID: 811, At: epoch}},
			{Lease: r.Tasks[1].Lease, Progress: candor.Progress{Kind: "start", State: "stopped", PID: 812, At: epoch}},
		}}})
	}
	beat()
	f.pass(2 * time.Second)
	x := f.why(r.Tasks[1].Task)
	f.expect(x, candor.ReasonStuck, "s[1]", "its process 812 is stopped (SIGSTOP or a debugger)")
	if x.Next != "kill -CONT 812" || x.Mover != candor.MoverOperator {
		t.Errorf("next %q by %s", x.Next, x.Mover)
	}
	f.expect(f.why("w1"), candor.ReasonStuck, "w1 runs 2 tasks, and nothing moves in 1 of them: s[1]", "812 is stopped")
	for range 3 {
		f.pass(5 * time.Second)
		beat()
	}
	f.expect(f.why("w1"), candor.ReasonStuck, "nothing moves in 2 of them", "s[0]", "process sleeping (pid 811)", "s[1]")
}
