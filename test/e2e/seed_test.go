//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSeedWorkerDies: a worker dies in the middle of a task. What was expected of
// the log after the incident (docs/architecture.md), and what is true of it here:
//
//	[worker-1] Worker crashed in main loop: ConnectionError(...)
//	[worker-1] Worker shutting down - completed 15 tasks
//
// Both hold when the worker dies of a panic. A worker that is killed cannot say
// anything: TestSeedWorkerKilled.
//
//	[brain] Stuck tasks detected: [worker-1 task after 5+ min]
//
// A task is not stuck for five minutes after its worker has died: the worker
// hands it back with its last word, and it is in the queue at once.
//
//	[brain] Worker worker-1 last heartbeat 90s ago (threshold: 60s)
//
// The brain need not wait for silence: it was told. Again TestSeedWorkerKilled.
func TestSeedWorkerDies(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"log.level": "info", "monitor.interval": "1h"})
	brain := f.brain()
	w := f.hooked("worker-1", "claim")
	f.ends(f.submit("before", `
		a: {foreach: {items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]}, run: "true"}
	`))
	id := f.submit("case", `
		long: {run: "`+f.gated("go")+`"}
	`)
	f.started(id, "long", 1)
	f.write("panic", "")
	f.ends(f.submit("last", `
		b: {run: "true"}
	`))
	w.wait()
	f.logged("worker-1", 1, "completed 15 tasks")
	about := regexp.MustCompile(`long|Worker worker-1|last`)
	f.golden("worker-dies-brain", lines(brain, about))
	f.golden("worker-dies-worker", lines(w, regexp.MustCompile(`Worker|long|Joined|what: `)))
}

// TestSeedWorkerKilled is the rest of it: a worker that is killed and
// that nobody supervises is known by its silence alone.
func TestSeedWorkerKilled(t *testing.T) {
	t.Parallel()
	s := quick()
	s["log.level"], s["monitor.interval"] = "info", "1h"
	f := newFarm(t, s)
	brain := f.brain()
	w := f.work("worker-1")
	id := f.submit("case", `
		long: {run: "setsid sleep 3212 & `+f.gated("go")+`"}
	`)
	f.started(id, "long", 1)
	f.until("the brain knows the process", func() bool {
		w := f.worker("worker-1")
		return len(w.Running) == 1 && w.Running[0].Progress.PID != 0
	})
	f.until("what it started is alive", func() bool { return len(f.alive("sleep 3212")) == 1 })
	w.kill()
	f.until("its task is taken back", func() bool { return f.task(id, "long").State == candor.TaskQueued })
	again := f.work("worker-1")
	f.started(id, "long", 2)
	f.write("go", "")
	f.ends(id)
	again.stop()
	f.golden("worker-killed-brain", lines(brain, regexp.MustCompile(`long|Worker|case`)))
	f.golden("worker-killed-worker", lines(again, regexp.MustCompile(`.`)))
}

// TestSeedAllBusy: 200 tasks, three workers. Of what was expected after the incident,
//
//	[brain] MONITOR: Queue: 197, Processing: 3, Stuck: 0
//
// holds.
//
//	[worker-1] Claim attempt: 197 tasks available in ['resource', 'llm'], all claimed by others
//
// cannot: a worker with no free slot does not ask, so it claims nothing and
// loses no race. What is true is asked of the brain: the worker runs a task, and
// a queued task waits behind others for workers that are all busy.
func TestSeedAllBusy(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	brain := f.brain()
	items := make([]string, 200)
	for i := range items {
		items[i] = fmt.Sprint(i)
	}
	id := f.submit("many", fmt.Sprintf(`
		short: {foreach: {items: [%s]}, run: "%s"}
	`, strings.Join(items, ", "), f.gated("go")))
	var workers []*proc
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		workers = append(workers, f.work(name))
		f.until(name+" is busy", func() bool { return len(f.worker(name).Running) == 1 })
	}
	const monitor = "MONITOR: GPUs: 0/0, Workers: 3/3, Queue: 197 (cpu:197), Processing: 3, Stuck: 0, Completed in 5m: 0"
	f.until("the monitor says so", func() bool {
		return slices.ContainsFunc(f.events(candor.EventMonitor), func(e candor.Event) bool { return e.Text == monitor })
	})
	f.until("a busy worker's heartbeat is on record", func() bool {
		return slices.ContainsFunc(f.log("worker-1"), func(l line) bool {
			return l.Level == "DEBUG" && strings.HasPrefix(l.Text, "Heartbeat sent - status: processing")
		})
	})
	f.golden("all-busy-worker", lines(workers[0], regexp.MustCompile(`Worker|Attempting|Claimed|Joined|suitable|race|Queue|others`)))
	f.saysWhy("worker-1", candor.ReasonRunning, candor.MoverWait, "short[0]")
	last := f.task(id, "short[199]")
	x := f.saysWhy(last.ID.String(), candor.ReasonBusy, candor.MoverWait, "196", "3")
	if len(x.Workers) != 3 {
		t.Errorf("%d workers are asked, want 3", len(x.Workers))
	}
	f.write("go", "")
	if b := f.ends(id); b.Counts[candor.TaskComplete] != 200 {
		t.Errorf("ended with %v", b.Counts)
	}
	f.until("an idle worker's heartbeat is on record", func() bool {
		return slices.ContainsFunc(f.log("worker-1"), func(l line) bool {
			return l.Level == "DEBUG" && strings.HasPrefix(l.Text, "Heartbeat sent - status: idle, idle: ")
		})
	})
	f.until("an idle worker says what it saw", func() bool {
		return slices.ContainsFunc(f.log("worker-1"), func(l line) bool { return l.Level == "DEBUG" && l.Text == "Queue empty" })
	})
	for _, w := range append(workers, brain) {
		if strings.Contains(w.output(), "claimed by others") {
			t.Errorf("%s says what cannot be known", w.name)
		}
	}
}

// hooked starts a worker that panics at a point once the file "panic" is there.
func (f *farm) hooked(name, point string) *proc {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	w := f.launch(name, append(f.env(), envHooked+"="+point, "E2E_HOOKED_NAME="+name, "E2E_HOOK_FILE="+filepath.Join(f.dir, "panic")), self)
	f.joined(name)
	return w
}

// lines are the console lines of a process that match, made comparable.
func lines(p *proc, about *regexp.Regexp) string {
	var out strings.Builder
	for l := range strings.Lines(p.output()) {
		if strings.HasPrefix(l, "[") && about.MatchString(l) && !strings.Contains(l, "Heartbeat sent") {
			out.WriteString(normal(p.f, l))
		}
	}
	return out.String()
}

// normal replaces what differs from one run to the next.
func normal(f *farm, text string) string {
	host, _ := os.Hostname()
	text = strings.NewReplacer(f.dir, "DIR", " from "+host+" ", " from HOST ", "@"+host, "@HOST").Replace(text)
	for _, r := range []struct{ from, to string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`, "TIME"},
		{`\bt_[0-9a-z]{8}\b`, "t_ID"}, {`\bb_[0-9a-z]{8}\b`, "b_ID"}, {`(task: |Ending |Ended |WARNING: )[0-9a-hjkmnp-tv-z]{8}\b`, "${1}ID"},
		{`\bpid \d+`, "pid PID"}, {`pid PID \((sh|sleep)\)(, pid PID \((sh|sleep)\))*`, "PROCESSES"}, {`\(\d+\)$`, "(PID)"}, {`\bpid=\d+`, "pid=PID"},
		{`\b(in|after|for|ended after) \d+(\.\d+)?(ms|s)\b`, "$1 DUR"}, {`\b\d+(\.\d+)?(ms|s) ago\b`, "DUR ago"},
		{`duration_ms=\d+`, "duration_ms=N"}, {`\b(lease|session)([ =])\d+\b`, "$1${2}N"}, {`by \S+`, "by USER"}, {` stack=.*`, " stack=STACK"}, {`, ended [a-z]+ \(\d+\)`, ""},
	} {
		text = regexp.MustCompile(r.from).ReplaceAllString(text, r.to)
	}
	return text
}

// golden compares with testdata/<name>.golden, or writes it with -update.
func (f *farm) golden(name, got string) {
	f.t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	if got != string(want) {
		f.t.Errorf("%s differs (go test ./test/e2e -update writes it anew)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}
