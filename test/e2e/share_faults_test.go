//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"candor"
)

// TestF13Overtaken: tasks of priority 10 keep coming while one of priority 1
// waits. It is told how often it was overtaken, since when, by which priority,
// and from when on its age outweighs that; and then it runs, though the others
// still come.
func TestF13Overtaken(t *testing.T) {
	t.Parallel()
	s := settings{"priority.aging": "1h"}
	f := newFarm(t, s)
	brain := f.brain()
	f.work("worker-1", "--slots", "1")
	f.ends(f.submit("warm", "once: {run: 'true'}"))
	const step = "step: {run: 'sleep 0.1', priority: %d, foreach: {items: [1, 2, 3, 4, 5]}, requires: {tools: [%s]}}" // another kind than the old one
	f.submit("stream-0", fmt.Sprintf(step, 10, "awk"))
	f.works("worker-1", 1)
	old := f.task(f.submit("old", "old: {run: 'true', priority: 1}"), "old")
	var x candor.Explanation
	streams := 0
	f.until("it was overtaken five times", func() bool {
		if streams++; streams < 200 { // bounded: they are what keeps it waiting
			f.submit(fmt.Sprintf("stream-%d", streams), fmt.Sprintf(step, 10, "awk"))
		}
		x = f.why(old.ID.String())
		n, _ := x.Reason.Operands["overtaken"].(float64)
		return x.Reason.Code == candor.ReasonStarving && n >= 5
	})
	f.reason(&x.Reason, candor.ReasonStarving, candor.MoverWait, "overtaken ", " times since "+time.Now().UTC().Format("2006-01-02T"),
		"by priority 10, its own is 1", "it goes before what comes at priority 10")
	if ahead, _ := x.Reason.Operands["ahead"].(float64); ahead < 1 {
		t.Errorf("%v tasks are before it: %s", ahead, x.Reason.Text)
	}
	s["priority.aging"] = "1s" // nine steps of priority are nine seconds now
	f.set(brain, s)
	f.until("its age outweighs them", func() bool {
		if streams++; streams < 400 {
			f.submit(fmt.Sprintf("stream-%d", streams), fmt.Sprintf(step, 10, "awk"))
		}
		return f.task(old.Batch, "old").State == candor.TaskComplete
	})
}

// TestF16OneDoesEverything: only worker-2 may take what is queued. Its share is
// told, and of the others where their time went, each second by its reason.
func TestF16OneDoesEverything(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	f.work("worker-1", "--slots", "1")
	f.work("worker-2", "--slots", "1", "--labels", "fast")
	f.work("worker-3", "--slots", "1")
	id := f.submit("skewed", "work: {run: 'sleep 0.4', requires: {labels: [fast]}, foreach: {items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}")
	f.ends(id)
	if w := f.worker("worker-2"); w.Share != 1 || w.Completed != 10 {
		t.Errorf("worker-2 did %d tasks, a share of %v", w.Completed, w.Share)
	}
	for name, code := range map[string]candor.ReasonCode{"worker-1": candor.ReasonLabel, "worker-2": candor.ReasonBusyTime, "worker-3": candor.ReasonLabel} {
		x := f.why(name)
		a := x.Worker.Account
		if a == nil {
			t.Fatalf("%s has no account", name)
		}
		sum := candor.Duration(0)
		for _, d := range a.Sums {
			sum += d
		}
		if whole := a.To.Sub(a.From); sum.D() != whole {
			t.Errorf("%s: %v of %v are accounted for: %v", name, sum.D(), whole, a.Sums)
		}
		if spent := a.Sums[code].D(); spent < 2*time.Second {
			t.Errorf("%s: %s of %s, of four seconds: %v", name, spent, code, a.Sums)
		}
		if page := f.candor("why", name).ok().out; !strings.Contains(page, "Where its time went") || !strings.Contains(page, string(code)) {
			t.Errorf("why %s does not show it:\n%s", name, page)
		}
	}
	wide := strings.Split(f.candor("worker", "ls", "-o", "wide").ok().out, "\n")
	if !slices.ContainsFunc(wide, func(l string) bool { return strings.HasPrefix(l, "worker-2") && strings.Contains(l, "100%") }) {
		t.Errorf("worker ls shows no share:\n%s", strings.Join(wide, "\n"))
	}
}
