package brain_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/sched"
)

// poison is a command on which deciding panics: its task belongs to a step that
// is not there.
var poison = sched.Admit{Batch: sched.LoadedBatch{
	Batch: sched.BatchRecord{ID: 7, State: candor.BatchActive},
	Steps: []sched.StepRecord{{Batch: 7, Step: candor.Step{Name: "a", Class: candor.ClassCPU}, Expanded: true, Total: 1}},
	Tasks: []sched.TaskRecord{{ID: 7, Batch: 7, Step: 3, State: candor.TaskQueued}},
}}

// TestPanicWhileDeciding gives the round up and nothing else: the loop lives,
// the state is what was durable, and the log has the stack's story.
func TestPanicWhileDeciding(t *testing.T) {
	r := start(t)
	r.submit(2)
	session := r.join("worker-1", 1)
	g := newGate()
	r.shelf.onCommit(g.hold)
	before := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
	<-g.reached
	r.shelf.onCommit(nil)
	first := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
	eventually(t, "it waits", func() bool { return r.Waiting() == 1 })
	bad := r.begin(t.Context(), poison)
	eventually(t, "both wait", func() bool { return r.Waiting() == 2 })
	last := r.begin(t.Context(), sched.Status{})
	eventually(t, "all wait", func() bool { return r.Waiting() == 3 })
	g.open <- nil
	if a := <-before; a.err != nil {
		t.Errorf("the round before: %v", a.err)
	}
	for i, ch := range []<-chan answer{first, bad, last} {
		if a := <-ch; a.err == nil || candor.CodeOf(a.err) != candor.CodeInternal {
			t.Errorf("command %d of the round: %+v, %v, want internal", i, a.reply, a.err)
		}
	}
	if st := r.status(); st.Batches != 2 || st.Trouble != "" {
		t.Errorf("afterwards: %+v", st)
	}
	r.work("worker-1", session, 1)
	if !slices.ContainsFunc(r.log.all(), func(l string) bool { return strings.Contains(l, "Deciding on sched.Admit crashed") }) {
		t.Errorf("the log does not name the command: %q", r.log.all())
	}
}

// TestPanicSparesTheHeld: who waits for work goes on waiting.
func TestPanicSparesTheHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		session := r.join("worker-1", 1)
		waiting := r.begin(t.Context(), claim("worker-1", session, 1, 30*time.Second))
		synctest.Wait()
		r.refused(poison, candor.CodeInternal)
		select {
		case a := <-waiting:
			t.Fatalf("the held claim was answered %+v, %v", a.reply, a.err)
		default:
		}
		r.submit(1)
		if a := <-waiting; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("the held claim got %+v, %v", a.reply, a.err)
		}
	})
}

// TestPanicOverAHeldOne: a claim that crashes whenever it is tried is refused,
// and those that wait beside it are served.
func TestPanicOverAHeldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		one, two, three := r.join("worker-1", 1), r.join("worker-2", 1), r.join("worker-3", 1)
		first := r.begin(t.Context(), claim("worker-1", one, 1, 30*time.Second))
		synctest.Wait()
		trap := &trap{Context: t.Context()}
		second := r.begin(trap, claim("worker-2", two, 1, 30*time.Second))
		synctest.Wait()
		third := r.begin(t.Context(), claim("worker-3", three, 1, 30*time.Second))
		synctest.Wait()
		trap.armed.Store(true)
		r.refused(sched.Submit{Sub: plan(3, "")}, candor.CodeInternal)
		if a := <-second; candor.CodeOf(a.err) != candor.CodeInternal {
			t.Errorf("the one that crashes got %+v, %v", a.reply, a.err)
		}
		// The first had its answer in the round that was given up.
		if a := <-first; candor.CodeOf(a.err) != candor.CodeInternal {
			t.Errorf("the one before it got %+v, %v", a.reply, a.err)
		}
		r.submit(3)
		if a := <-third; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("the one behind it got %+v, %v", a.reply, a.err)
		}
	})
}

// trap is a caller over whom the loop stumbles.
type trap struct {
	context.Context
	armed atomic.Bool
}

func (c *trap) Err() error {
	if c.armed.Load() {
		panic("trap")
	}
	return c.Context.Err()
}
