package sched

import (
	"errors"
	"testing"
	"time"

	"candor"
)

func at(host, dir string) func(*candor.WorkerInfo) {
	return func(in *candor.WorkerInfo) { in.Host, in.Dir = host, dir }
}

// comes is a registration that may be refused.
func (f *farm) comes(name, host, dir string, holds ...int64) error {
	f.t.Helper()
	f.pid++
	in := candor.WorkerInfo{Name: name, Host: host, Dir: dir, PID: f.pid, Classes: candor.Classes(), Slots: 1}
	reply, err := f.try(Register{candor.RegisterRequest{Protocol: candor.Protocol, Info: in, Verified: true, Holds: holds}})
	if err == nil {
		f.at[name] = reply.(candor.RegisterReply).Session
	}
	return err
}

// A process speaks for its own host and state directory only: another one under
// the same name proves nothing while the former is heard of.
func TestTwoPlacesAreNotOneWorker(t *testing.T) {
	for _, place := range [][2]string{{"b", "/srv"}, {"a", "/other"}} {
		f := newFarm(t, Config{})
		f.join("w1", at("a", "/srv"))
		f.submit(cpu("s"))
		a := f.take("w1")
		f.pass(10 * time.Second)
		f.beat("w1", a.Lease)
		f.pass(3 * time.Second)
		f.told()
		err := f.comes("w1", place[0], place[1])
		if candor.CodeOf(err) != candor.CodeConflict {
			t.Fatalf("%v: %v", place, err)
		}
		has(t, err.Error(), "w1 is a worker already: pid 4001 on a", "last heartbeat 3s ago")
		refusal, ok := errors.AsType[*candor.Error](err)
		if !ok {
			t.Fatal(err)
		}
		has(t, refusal.Hint, "--name", "1m")
		if f.s.Take() != nil {
			t.Fatal("a refusal changed something")
		}
		f.beat("w1", a.Lease) // its session goes on
		f.hand("w1", done(a))
		if f.state(a.Task) != candor.TaskComplete {
			t.Fatal(f.state(a.Task))
		}
	}
}

// One that is silent is given up as a lost worker is: its processes cannot be
// seen, so they are named, and nobody's death is blamed on the task.
func TestASilentNamesakeIsGivenUp(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", at("a", "/srv"), supervised)
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(61 * time.Second)
	f.told()
	if err := f.comes("w1", "b", "/srv"); err != nil {
		t.Fatal(err)
	}
	told := map[candor.EventCode]string{}
	for _, e := range f.told() {
		told[e.Code] = e.Text
	}
	has(t, told[candor.EventRunsTwice], "may run twice: its process on w1 could not be seen dead")
	has(t, told[candor.EventTaskRequeued], "w1 joined from pid 4002 on b; nothing was heard from pid 4001 on a for 1m")
	has(t, told[candor.EventWorkerJoined], "(before: pid 4001 on a)")
	if f.s.deaths != 0 {
		t.Fatalf("%d deaths", f.s.deaths)
	}
	if b := f.take("w1"); b.Task != a.Task || b.Attempt != 2 {
		t.Fatalf("%+v", b)
	}
	// The former one wakes up, and finds its name taken.
	if err := f.comes("w1", "a", "/srv", a.Lease); candor.CodeOf(err) != candor.CodeConflict {
		t.Fatal(err)
	}
}

// Who has left, or whose folders came along, is no namesake.
func TestAWorkerMayMove(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", at("a", "/srv"))
	f.do(Leave{"w1", candor.LeaveRequest{Session: f.at["w1"], Why: "told to"}})
	if err := f.comes("w1", "b", "/srv"); err != nil {
		t.Fatal(err)
	}
	f.submit(cpu("s"))
	a := f.take("w1")
	f.pass(61 * time.Second)
	if err := f.comes("w1", "c", "/srv", a.Lease); err != nil {
		t.Fatal(err)
	}
	f.hand("w1", done(a))
	if f.state(a.Task) != candor.TaskComplete {
		t.Fatal(f.state(a.Task))
	}
}
