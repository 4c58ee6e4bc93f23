package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// TestGoneWorkersAreForgotten: those who left long ago are in no list, in no
// round and in no store; with them go the pauses that name them.
func TestGoneWorkersAreForgotten(t *testing.T) {
	f := newFarm(t, Config{Forget: time.Hour})
	for i := range 20 {
		name := fmt.Sprint("cloud-", i)
		f.join(name, func(in *candor.WorkerInfo) { in.Supervisor = "up-" + name })
		f.do(HostSeen{candor.HostReport{Supervisor: "up-" + name}})
	}
	f.do(Pause{change("worker:cloud-1", "worker:cloud-2", "class:llm")})
	for i := range 19 {
		name := fmt.Sprint("cloud-", i)
		f.do(Leave{name, candor.LeaveRequest{Session: f.at[name], Why: "done"}})
	}
	reply := f.submit(cpu("held"))
	held := f.take("cloud-19") // and is never heard of again
	f.s.Take()

	f.pass(59 * time.Minute)
	if len(f.s.roster) != 20 {
		t.Fatalf("after 59 minutes %d are known", len(f.s.roster))
	}
	f.join("cloud-1") // within its time: it comes back as it was
	if f.s.workers["cloud-1"].paused == nil {
		t.Error("it came back within its time, and is not paused any more")
	}
	f.s.Take()
	f.pass(2 * time.Minute)
	c := f.s.Take()
	if len(c.Forgotten) != 19 || len(f.s.roster) != 1 || len(c.Workers) > 1 { // cloud-19 too, once it holds nothing
		t.Errorf("forgotten are %v, stored %d, known %d", c.Forgotten, len(c.Workers), len(f.s.roster))
	}
	if len(f.s.pauses) != 2 || f.s.pauses[0].Target != "cloud-1" || !c.PausesSet {
		t.Errorf("paused are %+v", f.s.pauses)
	}
	if len(f.s.hosts.seen) != 0 {
		t.Errorf("silent supervisors are remembered: %v", f.s.hosts.seen)
	}
	if _, err := f.try(Heartbeat{"cloud-3", candor.HeartbeatRequest{Session: f.at["cloud-3"]}}); candor.CodeOf(err) != candor.CodeStale {
		t.Errorf("one that is forgotten speaks: %v", err)
	}
	if got := f.state(held.Task); got != candor.TaskQueued {
		t.Errorf("what %s held is %s", reply.Batch, got)
	}
}

// TestForgettingSurvivesRestart: the time of one that left goes on while the
// brain is away, and one that is only silent gets its time anew.
func TestForgettingSurvivesRestart(t *testing.T) {
	f := newFarm(t, Config{Forget: time.Hour})
	f.join("left")
	f.join("silent")
	f.do(Leave{"left", candor.LeaveRequest{Session: f.at["left"]}})
	f.pass(2 * time.Minute)
	snap := &Snapshot{Meta: f.s.meta}
	for _, w := range f.s.roster {
		snap.Workers = append(snap.Workers, w.record())
	}
	f.s = New(Config{Forget: time.Hour}, snap)
	f.pass(61 * time.Minute)
	if f.s.workers["left"] != nil || f.s.workers["silent"] == nil {
		t.Errorf("known are %v", sortedKeys(f.s.workers))
	}
}
