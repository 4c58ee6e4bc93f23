//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"candor"
)

// firstCommand is what the README begins with.
const firstCommand = "run examples/library/plan.yaml"

// TestFirstCommand runs the README's first command on the project's own files.
func TestFirstCommand(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if readme := f.read(filepath.Join(root, "README.md")); !strings.Contains(readme, "go run ./cmd/candor "+firstCommand) {
		t.Error("the README does not begin with go run ./cmd/candor " + firstCommand)
	}
	f.bare, f.workDir = true, root
	r := f.candor(strings.Fields(firstCommand)...).ok()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	index := lines[len(lines)-1]
	if filepath.Base(index) != "index.html" {
		t.Fatalf("it ends with %q, want the path of the index:\n%s", index, r.out)
	}
	page := f.read(index)
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	for _, d := range docs {
		if !strings.Contains(page, filepath.Base(d)) {
			t.Errorf("the index does not list %s", d)
		}
	}
	f.nothingLeft()
}

// slow are tasks that run until they are ended; the last one does not listen to TERM.
const slow = `
	sleeps: {foreach: {items: [1, 2]}, run: "sleep 3301 & wait"}
	stubborn: {run: "trap '' TERM; sleep 3302 & while :; do wait; done"}
`

// TestRunInterrupted: the first signal cancels and ends everything in order,
// with the exit code of the signal.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	for word, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(word.String(), func(t *testing.T) {
			t.Parallel()
			f := newFarm(t, nil)
			p := f.start("run", "run", f.plan("slow", slow), "--workers", "3", "--slots", "1")
			f.until("all tasks run", func() bool { return len(f.alive("sleep 3301")) == 2 && len(f.alive("sleep 3302")) == 1 })
			p.signal(word)
			if code := p.wait(); code != want {
				t.Errorf("it left with %d, want %d", code, want)
			}
			if left := processesOf(f.dir); len(left) > 0 {
				t.Errorf("when it left, there were %v", left)
			}
			f.brain()
			all, err := f.c.Batches(t.Context(), candor.BatchQuery{})
			if err != nil || len(all) != 1 || all[0].Outcome != candor.OutcomeCancelled {
				t.Errorf("the batch: %+v, %v", all, err)
			}
		})
	}
}

// TestRunInterruptedTwice: the second signal does not wait for what is stubborn,
// and still nothing is left.
func TestRunInterruptedTwice(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"worker.kill_grace": "2s", "worker.grace": "10m", "supervise.grace": "12m"})
	p := f.start("run", "run", f.plan("slow", slow), "--workers", "3", "--slots", "1")
	f.until("all tasks run", func() bool { return len(f.alive("sleep 3301")) == 2 && len(f.alive("sleep 3302")) == 1 })
	p.signal(syscall.SIGINT)
	f.until("it says that it cancels", func() bool { return strings.Contains(p.output(), "cancelling") })
	p.signal(syscall.SIGTERM)          // a second INT so soon would be an echo
	if code := p.wait(); code != 130 { // waits far less long than the grace that it cuts short
		t.Errorf("it left with %d", code)
	}
	f.nothingLeft()
}

// TestUpDrains: the first TERM lets end what runs, and takes nothing new; an
// orderly end leaves no warning in the log and no process.
func TestUpDrains(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"worker.grace": "30s", "supervise.grace": "40s"})
	up := f.up(1)
	id := f.submit("gated", `
		a: {foreach: {items: [1, 2]}, run: "`+f.gated("go")+`"}
	`)
	f.started(id, "a[0]", 1)
	up.signal(syscall.SIGTERM)
	f.until("the worker drains", func() bool {
		return strings.Contains(up.output(), "Worker worker-1 received shutdown signal (TERM); 1 attempt may end")
	})
	f.write("go", "")
	if code := up.wait(); code != 0 {
		t.Errorf("up left with %d", code)
	}
	if out := up.output(); strings.Contains(out, "WARNING") || strings.Contains(out, "ERROR") {
		t.Errorf("an orderly end, but:\n%s", out)
	}
	f.nothingLeft()
	f.brain()
	if a, b := f.task(id, "a[0]"), f.task(id, "a[1]"); a.State != candor.TaskComplete || b.State != candor.TaskQueued {
		t.Errorf("what ran is %s, what waited %s", a.State, b.State)
	}
}

// TestSupervisorKilled: whoever is supervised ends when the supervisor is gone,
// even if nobody could tell it.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	up := f.up(2)
	id := f.submit("slow", slow)
	f.reaches(id, "sleeps[0]", candor.TaskProcessing)
	up.kill()
	f.until("all of them end by themselves", func() bool { return len(processesOf(f.dir)) == 0 })
	for _, w := range []string{"worker-1", "worker-2"} {
		f.logged(w, 1, "received shutdown signal (the end of its supervisor)")
		f.logged(w, 1, "shutting down")
	}
}

// TestExitCodes are the ones that scripts rely on.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	good := f.plan("good", `
		a: {run: "true"}
	`)
	bad := f.plan("bad", `
		a: {run: "echo out of luck; exit 7"}
	`)
	long := f.plan("long", slow)
	f.candor("ls").exits(69).says("hint:")
	f.candor("run", f.write("broken.yaml", "name: [")).exits(2)
	f.candor("nonsense").exits(2)
	f.candor("run", bad).exits(3)

	f.up(2)
	f.candor("submit", good, "--wait").ok()
	f.candor("submit", bad, "--wait").exits(3)
	f.candor("run", bad).exits(3)
	f.candor("show", "b_00000000").exits(2)
	var reply candor.SubmitReply
	f.candor("submit", long, "--json").ok().json(&reply)
	id := reply.Batch.String()
	f.candor("wait", id, "--timeout", "300ms").exits(124)
	waiting := f.start("wait", "wait", id)
	f.candor("cancel", id).ok()
	if code := waiting.wait(); code != 4 {
		t.Errorf("wait for a cancelled batch left with %d", code)
	}
	f.candor("wait", id).exits(4)
}

// TestRunCannotBePlaced: a run whose workers could never take a step says so
// instead of waiting for ever.
func TestRunCannotBePlaced(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	r := f.candor("run", f.plan("never", `
		a: {run: "true", requires: {tools: [no-such-program]}}
	`)).exits(5)
	r.says("fits on 0 of 1 worker", "no-such-program")
	f.nothingLeft()
}

// TestCandorProgress: a job's own word reaches whoever asks.
func TestCandorProgress(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("tells", fmt.Sprintf(`
		a: {run: "candor progress 40/125 chapters; %s"}
	`, f.gated("go")))
	task := f.started(id, "a", 1)
	f.until("the brain knows", func() bool {
		p := f.task(id, "a").Progress
		return p != nil && p.Done == 40 && p.Total == 125
	})
	x := f.saysWhy(task.ID.String(), candor.ReasonRunning, candor.MoverWait, "worker-1")
	if p := x.Task.Progress; p == nil || p.Done != 40 || p.Total != 125 || p.Note != "chapters" {
		t.Errorf("why shows the progress %+v", p)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f.ends(id)
}
