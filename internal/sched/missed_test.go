package sched

import (
	"slices"
	"testing"
	"time"

	"candor"
)

// unnamed lets a worker's heartbeats leave out its lease until it is asked.
func (f *farm) unnamed(name string) candor.HeartbeatReply {
	f.t.Helper()
	var reply candor.HeartbeatReply
	for range missedBeats {
		if len(reply.Void) > 0 {
			f.t.Fatal("asked too soon")
		}
		f.pass(5 * time.Second)
		reply = f.beat(name)
	}
	return reply
}

// void is a heartbeat that voids leases.
func (f *farm) void(name string, leases ...int64) candor.HeartbeatReply {
	f.t.Helper()
	return f.do(Heartbeat{name, candor.HeartbeatRequest{Session: f.at[name], Void: leases}}).(candor.HeartbeatReply)
}

// The answer that handed a task out was lost: its worker never names the lease,
// and is asked to void it.
func TestALostAnswerIsNoticed(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	if reply := f.unnamed("w1"); !slices.Equal(reply.Void, []int64{a.Lease}) {
		t.Fatalf("asked to void %v", reply.Void)
	}
	if f.state(a.Task) != candor.TaskProcessing {
		t.Fatal("taken back though the answer may be under way")
	}
	if reply := f.void("w1", a.Lease); len(reply.Void) > 0 {
		t.Fatalf("asked again: %v", reply.Void)
	}
	if f.state(a.Task) != candor.TaskQueued {
		t.Fatal(f.state(a.Task))
	}
	has(t, f.toldOf(candor.EventTaskRequeued), "w1 does not know of lease 1, and will not start it")
}

// The answer was late: the worker names the lease in the end, and the task is
// nobody else's for a moment.
func TestALateAnswerCostsNothing(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.unnamed("w1")
	for range 20 { // it does not void it: its answer came, or a beat of an earlier moment is heard now
		f.pass(5 * time.Second)
		f.beat("w1")
		f.beat("w2")
		if r := f.claim("w2"); len(r.Tasks) > 0 {
			t.Fatal("handed out twice")
		}
	}
	if reply := f.beat("w1", a.Lease); len(reply.Void)+len(reply.Abort) > 0 {
		t.Fatalf("%+v", reply)
	}
	f.hand("w1", done(a))
	if f.state(a.Task) != candor.TaskComplete {
		t.Fatal(f.state(a.Task))
	}
}

// What was asked before a restart is asked again after it, and what was voided
// in between is heard.
func TestAVoidOutlivesTheBrain(t *testing.T) {
	f := newFarm(t, Config{})
	d := newDisk()
	f.s = New(Config{}, d.load())
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.unnamed("w1")
	if err := d.commit(f.s.Take()); err != nil {
		t.Fatal(err)
	}
	f.s = New(Config{}, d.load())
	f.do(Tick{})
	if f.unnamed("w1"); f.state(a.Task) != candor.TaskProcessing {
		t.Fatal(f.state(a.Task))
	}
	if f.void("w1", a.Lease); f.state(a.Task) != candor.TaskQueued {
		t.Fatal(f.state(a.Task))
	}
}

// A lease that was named and is so no more is told as what it is: its result was
// lost on the way to us, not the answer to the claim.
func TestALeaseThatIsNamedNoMore(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.beat("w1", a.Lease)
	f.unnamed("w1")
	f.void("w1", a.Lease)
	has(t, f.toldOf(candor.EventTaskRequeued), "w1 holds lease 1 no more, and told no result of it")
}
