//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
)

// TestF08ClaimLoopDead: the goroutine that asks for work and delivers results
// stands still, and the one that reports goes on. The worker's one slot is held by
// a task that has ended, and behind it a task waits that nobody else may take.
func TestF08ClaimLoopDead(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"heartbeat.asking": "1s"})
	f.vars = []string{envSlots + "=1"}
	f.brain()
	f.hooked("worker-1", "claim")
	pid := f.worker("worker-1").PID
	first := f.submit("first", `
		long: {run: "`+f.gated("go")+`"}
	`)
	long := f.started(first, "long", 1)
	f.write("stand", "")
	f.write("go", "")
	next := f.submit("next", `
		a: {run: "true"}
	`)
	f.until("it is named", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonNotAsking })
	words := []string{"worker-1 is alive (heartbeat ", "but its claim loop has not asked for ", " (in: claiming since " + time.Now().UTC().Format("2006-")}
	x := f.saysWhy("worker-1", candor.ReasonNotAsking, candor.MoverOperator, append(words, "it holds 1 task: long")...)
	if want := fmt.Sprintf("kill -QUIT %d", pid); x.Reason.Next != want {
		t.Errorf("next is %q, want %q", x.Reason.Next, want)
	}
	f.saysWhy(long.ID.String(), candor.ReasonNotAsking, candor.MoverOperator, append(words, "long has ended on worker-1, but its result does not come")...)
	f.saysWhy(f.task(next, "a").ID.String(), candor.ReasonNotAsking, candor.MoverOperator, words[1:]...)
	f.once(candor.EventWorkerNotAsking, words...)
	if w := f.worker("worker-1"); w.State != candor.WorkerReady {
		t.Errorf("it is alive, and yet %s", w.State)
	}
	if err := os.Remove(filepath.Join(f.dir, "stand")); err != nil {
		t.Fatal(err)
	}
	f.ends(first)
	f.ends(next)
	f.once(candor.EventWorkerBack, "worker-1 asks for work again")
	f.until("it is forgotten", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonIdleNoWork })
}

// TestF08ClaimsSwallowed: the same with an idle worker, whose claims go out and
// reach nobody. That it waits for work is its own word, and the brain's is that it
// has not asked.
func TestF08ClaimsSwallowed(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"heartbeat.asking": "1s"})
	f.brain("--listen", "127.0.0.1:0")
	at, status := gateway(t, f.listening())
	f.work("worker-1", "--brain", at)
	f.until("it has asked", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonIdleNoWork })
	status.Store(swallowed) // the claim that the brain holds ends; the next one does not come
	f.until("it is named", func() bool { return f.why("worker-1").Reason.Code == candor.ReasonNotAsking })
	id := f.submit("next", `
		a: {run: "true"}
	`)
	words := []string{"but its claim loop has not asked for ", " (in: waiting for work since "}
	f.saysWhy("worker-1", candor.ReasonNotAsking, candor.MoverOperator, words...)
	f.saysWhy(f.task(id, "a").ID.String(), candor.ReasonNotAsking, candor.MoverOperator, words...)
	status.Store(0)
	f.ends(id)
}
