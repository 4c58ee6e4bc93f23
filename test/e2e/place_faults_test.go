//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// asks is a plan of one step that asks a model.
func asks(step, model, items string, more ...string) string {
	return step + ":\n\t" + strings.ReplaceAll(asking(model, items, more...), "\n", "\n\t")
}

// has is a model server with so many slots, which could load these models.
func has(t *testing.T, slots int, models ...simrt.Model) *played {
	t.Helper()
	return simulate(t, simrt.Options{Slots: slots, Models: models})
}

// works waits until a worker runs so many attempts.
func (f *farm) works(name string, n int) candor.Worker {
	f.t.Helper()
	var w candor.Worker
	f.until(fmt.Sprintf("%s runs %d", name, n), func() bool {
		w = f.worker(name)
		return len(w.Running) == n
	})
	return w
}

// did waits until a worker has completed so many tasks.
func (f *farm) did(name string, n int) {
	f.t.Helper()
	f.until(fmt.Sprintf("%s completes %d tasks", name, n), func() bool { return f.worker(name).Completed >= n })
}

// set changes one rule of a brain that runs.
func (f *farm) set(brain *proc, s settings) {
	f.t.Helper()
	all := calm()
	for key, value := range s {
		all[key] = value
	}
	f.configure(all)
	brain.signal(syscall.SIGHUP)
}

// TestF01OneHot: one worker is hot, and a cap lets no other have the model. The
// idle ones, the tasks and the log name the cap, its value, who reached it and
// for how long; raising it is all it takes.
func TestF01OneHot(t *testing.T) {
	t.Parallel()
	const model = "qwen2.5:7b"
	s := swift()
	s["placement.max_hot"], s["placement.expect"] = "1", "1s"
	f := newFarm(t, s)
	brain := f.brain()
	hot := has(t, 1, light(model))
	f.serves("worker-2", hot)
	f.ends(f.submit("first", asks("warm", model, "[1]")))
	f.serves("worker-1", has(t, 1, light(model)))
	f.serves("worker-3", has(t, 1, light(model)))
	thaw := hot.FreezeRunner(model)
	defer thaw()
	id := f.submit("night", asks("topics", model, numbers(125)))
	f.works("worker-2", 2)
	told := []string{"no load of " + model + " was ordered", "max_hot=1, reached by worker-2"}
	for _, name := range []string{"worker-1", "worker-3"} {
		x := f.comesToSay(name, candor.ReasonPlaceMaxHot, candor.MoverYou, append(told, name+" takes none of 123 queued tasks")...)
		if w := f.worker(name); w.IdleSince.IsZero() || w.Reason == nil || w.Reason.Code != candor.ReasonPlaceMaxHot || x.Reason.Since.IsZero() {
			t.Errorf("%s is idle since %v for %v; since %v", name, w.IdleSince, w.Reason, x.Reason.Since)
		}
	}
	x := f.saysWhy(f.task(id, "topics[124]").ID.String(), candor.ReasonPlaceMaxHot, candor.MoverYou, append(told, "worker-1, worker-3", "worker-2: 2 of 2 slots taken")...)
	if !strings.Contains(x.Reason.Next, "raise placement.max_hot") {
		t.Errorf("next: %q", x.Reason.Next)
	}
	f.until("the brain says it by itself", func() bool {
		return slices.ContainsFunc(f.events(candor.EventOrderOverdue), func(e candor.Event) bool {
			return hasAll(e.Text, append(told, "2 of 3 workers without a model for ", " with 123 llm tasks queued: worker-1, worker-3: "))
		})
	})
	s["placement.max_hot"] = "3"
	f.set(brain, s)
	f.did("worker-1", 1)
	f.did("worker-3", 1)
	thaw()
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("the batch ended with %v", b.Counts)
	}
}
