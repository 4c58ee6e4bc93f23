package sched

import (
	"testing"
	"time"

	"candor"
)

// exitedAgain is a supervisor's word that w1 has ended.
func exitedAgain(pid int, again time.Duration) HostSeen {
	return HostSeen{candor.HostReport{Supervisor: "up-1", Workers: []candor.HostWorker{
		{Name: "w1", PID: pid, State: "exited", Exit: "signal: KILL (9)", Clean: true, Again: candor.Duration(again)},
	}}}
}

func (f *farm) moves(r candor.Reason, m candor.Mover) {
	f.t.Helper()
	if r.Mover != m {
		f.t.Errorf("the move is %s's, want %s: %s", r.Mover, m, r.Text)
	}
}

// F21: how it ended, when, which process, and that its supervisor is about to
// start it again: nobody else has to act until that is overdue.
func TestAKilledWorkerSaysHowAndWhoActs(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.do(exitedAgain(4001, 4*time.Second))
	b := f.submit(cpu("s")).Batch
	task := f.tasksOf(b)[0].id
	f.pass(2 * time.Second)
	f.do(exitedAgain(4001, 4*time.Second)) // told again: it does not move on
	for _, r := range []candor.Reason{f.why("w1"), f.why(task)} {
		has(t, r.Text, "w1 ended (signal: KILL (9)) 2s ago (pid 4001); its supervisor starts it again by 2026-02-07T21:45:04.000Z")
		f.moves(r, candor.MoverSystem)
	}
	if f.why("w1").Code != candor.ReasonWorkerGone || f.why(task).Code != candor.ReasonNoWorkers {
		t.Errorf("%s, %s", f.why("w1").Code, f.why(task).Code)
	}
	for range 20 {
		f.pass(5 * time.Second)
		f.do(exitedAgain(4001, 4*time.Second))
	}
	r := f.why("w1")
	has(t, r.Text, "was to start it again by 2026-02-07T21:45:04.000Z, and it has not joined")
	f.moves(r, candor.MoverOperator)
	f.pass(2 * time.Minute)
	has(t, f.why("w1").Text, "its supervisor up-1, which was to start it again, is silent")
	f.join("w1", supervised)
	f.expect(f.why("w1"), candor.ReasonIdleClaiming)
}

// F31: its successor may join before its supervisor could tell of its end, which
// is told all the same, once.
func TestAnEndThatComesLateIsTold(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w1", supervised)
	f.told()
	f.do(exitedAgain(4001, time.Second))
	has(t, f.toldOf(candor.EventWorkerExited), "Worker w1 exited (pid 4001): signal: KILL (9); pid 4002 had joined in its place before that was known")
	f.told()
	for _, pid := range []int{4001, 4000} { // told before; never seen
		f.do(exitedAgain(pid, time.Second))
	}
	if told := f.told(); len(told) > 0 {
		t.Errorf("told %v", told)
	}
	if w := f.s.workers["w1"]; w.state == candor.WorkerGone {
		t.Error("the one that lives is taken for gone")
	}
}

// F20: the worker's own last word says more than its exit code.
func TestACrashedWorkerSaysWhatOf(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w2")
	f.do(Leave{Worker: "w1", Req: candor.LeaveRequest{Session: f.at["w1"], Why: "crash", Crash: "KeyError: model_name"}})
	r := f.why("w1")
	f.expect(r, candor.ReasonWorkerGone, "w1 crashed (KeyError: model_name) 0s ago (pid 4001)")
	f.moves(r, candor.MoverOperator)
	if r.Next != "candor worker --name w1" {
		t.Errorf("next %q", r.Next)
	}
	f.do(exitedAgain(4001, time.Second))
	r = f.why("w1")
	f.expect(r, candor.ReasonWorkerGone, "w1 crashed (KeyError: model_name)", "starts it again by")
	f.moves(r, candor.MoverSystem)

	// What only it could do waits for it, and is not said to be impossible.
	b := f.submit(cpu("s", func(st *candor.Step) { st.Requires.Worker = "w1" })).Batch
	r = f.why(f.tasksOf(b)[0].id)
	f.expect(r, candor.ReasonWorkerGone, "w1 crashed")
	f.moves(r, candor.MoverSystem)
}

// Who was there and left is named, newest first; what is missing is a worker.
func TestNoWorkerIsThere(t *testing.T) {
	f := newFarm(t, Config{})
	b := f.submit(cpu("s")).Batch
	task := f.tasksOf(b)[0].id
	if r := f.why(task); r.Text != "no worker has joined" || r.Next != "candor worker" {
		t.Errorf("%q, next %q", r.Text, r.Next)
	}
	for _, name := range []string{"w1", "w2"} {
		f.do(Pause{change("class:cpu")})
		f.join(name)
		f.do(Leave{Worker: name, Req: candor.LeaveRequest{Session: f.at[name], Why: "TERM"}})
		f.do(Resume{change("class:cpu")})
		f.pass(2 * time.Second)
	}
	r := f.why(task)
	f.expect(r, candor.ReasonNoWorkers, "no worker is there: w2 left (TERM) 2s ago (pid 4002); w1 left (TERM) 4s ago (pid 4001)")
	if f.moves(r, candor.MoverOperator); r.Next != "candor worker" {
		t.Errorf("next %q", r.Next)
	}
	_, err := f.try(OrderModel{candor.OrderRequest{Kind: candor.OrderLoad, Model: "m"}})
	if candor.CodeOf(err) != candor.CodeUnplaceable {
		t.Fatal(err)
	}
	has(t, err.Error(), "no worker is there: w2 left")
}
