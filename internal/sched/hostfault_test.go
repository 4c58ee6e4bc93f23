package sched

import (
	"testing"
	"time"

	"candor"
)

// A worker whose disk is full fails whatever writes outputs. It is tried again,
// but that mends nothing: the move is the operator's, of task and worker.
func TestAHostThatFailsIsTheOperators(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	writes := func(st *candor.Step) { st.Outputs = map[string]string{"out": "out.json"} }
	f.submit(cpu("s", writes))
	fault := func() candor.Assignment {
		f.t.Helper()
		a := f.take("w1")
		r := ended(a, candor.AttemptTransient, candor.ReasonHostFault, "exit 0, but this worker could not put its outputs in place: no space left on device")
		r.Exit = &candor.Exit{}
		f.hand("w1", r)
		return a
	}
	a := fault()
	r := f.why(a.Task)
	f.expect(r, candor.ReasonBackoff, "last failure", "no space left on device")
	f.moves(r, candor.MoverOperator)
	f.pass(2 * time.Minute)
	f.told()
	fault()
	has(t, f.toldOf(candor.EventHostFault), "Worker w1: its host failed 2 attempts since", "no space left on device")
	r = f.why("w1")
	f.expect(r, candor.ReasonHostFault, "2 attempts", "no space left on device")
	f.moves(r, candor.MoverOperator)

	f.submit(cpu("plain"))
	b := f.take("w1") // it may do what does not need the disk, which proves nothing
	f.hand("w1", done(b))
	f.expect(f.why("w1"), candor.ReasonHostFault)
	f.pass(10 * time.Minute)
	f.hand("w1", done(f.take("w1")))
	f.expect(f.why("w1"), candor.ReasonIdleNoWork)
}

// What a task says of a passing trouble stays the system's move.
func TestATransientFailureIsTheSystems(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.hand("w1", ended(a, candor.AttemptTransient, candor.ReasonExitTransient, "exit 75"))
	f.moves(f.why(a.Task), candor.MoverSystem)
}
