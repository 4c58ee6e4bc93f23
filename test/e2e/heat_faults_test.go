//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/simrt"
)

// card puts a fake nvidia-smi on PATH, which sees one card.
func (f *farm) card() {
	f.t.Helper()
	f.degrees(60)
	path := f.write("bin/nvidia-smi", fmt.Sprintf(`#!/bin/sh
case "$1" in
--query-gpu=*) echo "0, GPU-1, FAKE 8GB, 8192, 9, 8183, $(cat '%s'), 100.0, 200.00, 50, 00000000:18:00.0, 550.0";;
esac
`, filepath.Join(f.dir, "degrees")))
	if err := os.Chmod(path, 0o755); err != nil {
		f.t.Fatal(err)
	}
	f.vars = append(f.vars, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
}

// degrees is how hot the fake card is. Whoever reads it never finds half a number.
func (f *farm) degrees(c int) {
	f.t.Helper()
	if err := os.Rename(f.write("degrees.new", fmt.Sprint(c)), filepath.Join(f.dir, "degrees")); err != nil {
		f.t.Fatal(err)
	}
}

// warmish are settings by which a card is too hot at 78 degrees.
func warmish(change settings) settings {
	s := swift()
	s["heat.limit"], s["heat.resume"] = "78", "73"
	for key, value := range change {
		s[key] = value
	}
	return s
}

// TestF14Hot: a worker whose card is too hot gets nothing new until it is well
// below the limit; both the task and the worker say so with the numbers.
func TestF14Hot(t *testing.T) {
	t.Parallel()
	f := newFarm(t, warmish(nil))
	f.card()
	f.degrees(84)
	f.brain()
	f.work("worker-4", "--gpu", "0")
	f.once(candor.EventHot, "waiting for worker-4 to cool: 84 °C ≥ 78, resumes below 73")
	id := f.submit("hot", `
		work: {run: "true", retries: 0}
	`)
	task := f.task(id, "work").ID.String()
	told := []string{"waiting for worker-4 to cool: 84 °C ≥ 78, resumes below 73"}
	f.saysWhy(task, candor.ReasonThermal, candor.MoverSystem, told...)
	f.saysWhy("worker-4", candor.ReasonThermal, candor.MoverSystem, told...)
	f.degrees(75) // below the limit is not cool yet
	f.until("its cooling is seen", func() bool {
		return strings.Contains(f.why(task).Reason.Text, "waiting for worker-4 to cool: 75 °C, limit 78, resumes below 73")
	})
	f.saysWhy(task, candor.ReasonThermal, candor.MoverSystem, "75 °C")
	f.degrees(70)
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("once it was cool: %v", b.Counts)
	}
	f.once(candor.EventCool, "worker-4", "70 °C < 73")
	if got := f.task(id, "work"); got.Attempt != 1 || got.Counted != 0 {
		t.Errorf("attempt %d, %d counted", got.Attempt, got.Counted)
	}
}

// TestF14HotInTheMiddle: a task that answers rows when its card gets too hot
// waits before its next row. It is neither stuck nor tried again.
func TestF14HotInTheMiddle(t *testing.T) {
	t.Parallel()
	const stuck = 2 * time.Second
	f := newFarm(t, warmish(settings{"stuck.llm": stuck.String()}))
	f.card()
	f.brain()
	s := simulate(t, simrt.Options{VRAM: 8 << 30, Slots: 1, Models: []simrt.Model{light("m")}})
	f.serves("worker-4", s, "--gpu", "0")
	f.warm()
	thaw := s.FreezeRunner("m:latest")
	id := f.submit("hot", several("[1, 2, 3, 4], chunk: 4"))
	f.until("its first row is asked", func() bool { w := f.worker("worker-4"); return len(w.Running) == 1 })
	f.degrees(84)
	f.until("its worker knows of the heat", func() bool {
		return slices.ContainsFunc(f.log("worker-4"), func(l line) bool {
			return strings.Contains(l.Text, "The brain lets the card cool: waiting for worker-4")
		})
	})
	before := len(f.events(candor.EventTaskStuck)) // in the time that this took, its row did not move
	thaw()
	task := f.tasks(id)[0]
	f.until("it waits before a row", func() bool {
		w := f.worker("worker-4")
		return len(w.Running) == 1 && w.Running[0].Progress.Kind == "heat" && time.Since(w.Running[0].Progress.At) > 2*stuck
	})
	told := "waiting for worker-4 to cool: 84 °C ≥ 78, resumes below 73"
	f.saysWhy(task.ID.String(), candor.ReasonThermal, candor.MoverSystem, "ask[0]", told)
	if w := f.worker("worker-4"); len(w.Running) != 1 || w.Running[0].Stuck || !strings.Contains(w.Running[0].Progress.Note, told) {
		t.Errorf("it runs as %+v", w.Running)
	}
	if all := f.events(candor.EventTaskStuck); len(all) > before {
		t.Errorf("stuck: %v", all[before:])
	}
	f.degrees(70)
	b := f.ends(id)
	f.everyRowOnce(b, "ask", 4)
	if got := f.tasks(id)[0]; got.State != candor.TaskComplete || got.Attempt != 1 || got.Counted != 0 {
		t.Errorf("the task is %s, attempt %d, %d counted", got.State, got.Attempt, got.Counted)
	}
}
