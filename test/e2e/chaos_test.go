//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"candor"
)

const (
	chaosTasks = 500
	chaosKills = 20 // at least
	// chaosSeed makes the order of kills and the pauses between them the same in
	// each run; where in its work a kill finds a process, it is not.
	chaosSeed = 1
)

// TestChaosUp kills the brain and the workers of candor up at random moments,
// again and again, until 500 tasks are done.
func TestChaosUp(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(3, "--slots", "2")
	id := f.submitChaos()
	kills := f.rampage(id, chaosSeed)
	f.ends(id)
	f.checkChaos(id)
	for name, n := range kills {
		f.logged("up", n, name+" exited: signal: KILL (9)")
		f.logged("up", n+1, name+" started: pid ")
	}
}

// TestChaosApart does the same to processes that are started on their own, by a
// supervisor that knows nothing but how to start them again.
func TestChaosApart(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	names := []string{"brain", "worker-1", "worker-2", "worker-3"}
	stop := f.restarter(names)
	f.answers()
	f.joined(names[1:]...)
	id := f.submitChaos()
	f.rampage(id, chaosSeed+1)
	f.ends(id)
	f.checkChaos(id)
	stop()
}

// restarter keeps processes running until it is told to stop.
func (f *farm) restarter(names []string) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, name := range names {
		args := []string{"worker", "--name", name, "--slots", "2"}
		if name == "brain" {
			args = []string{"brain"}
		}
		wg.Go(func() {
			for {
				p := f.start(name, args...)
				select {
				case <-p.ended:
				case <-done:
					return
				}
			}
		})
	}
	once := sync.OnceFunc(func() { close(done); wg.Wait() })
	f.t.Cleanup(once) // before the farm's, which ends what runs then
	return once
}

// submitChaos hands in short tasks that write down when they start and end,
// under which lease, and whether an earlier start of theirs is still alive.
func (f *farm) submitChaos() candor.BatchID {
	f.t.Helper()
	script := f.write("chaos.sh", shellAlive+`
mkdir -p "`+f.dir+`/runs"
run="`+f.dir+`/runs/$CANDOR_TASK_ID"
sed -n 's/^start //p' "$run" 2>/dev/null | while read -r lease pid born; do
  if alive "$pid" "$born"; then
    echo "twice $CANDOR_LEASE $pid" >> "$run"
  fi
done
echo "start $CANDOR_LEASE $$ $(cut -d' ' -f22 /proc/$$/stat)" >> "$run"
sleep 0.1
echo "end $CANDOR_LEASE $$" >> "$run"
echo "$CANDOR_LEASE" > out
`)
	var items strings.Builder
	for i := range chaosTasks {
		fmt.Fprintf(&items, "%d, ", i)
	}
	return f.submit("chaos", fmt.Sprintf(`
		short: {foreach: {items: [%s]}, run: "exec sh %s", outputs: {out: out}}
	`, strings.TrimSuffix(items.String(), ", "), script))
}

// rampage kills until enough has been killed, and counts whom.
func (f *farm) rampage(id candor.BatchID, seed uint64) map[string]int {
	f.t.Helper()
	rng := rand.New(rand.NewPCG(seed, seed))
	kills := map[string]int{}
	names := []string{"brain", "worker-1", "worker-2", "worker-3"}
	killed := map[int]bool{} // a process takes a moment to die
	for n := 0; n < chaosKills; {
		name := names[rng.IntN(len(names))]
		// A pause of its own length between two kills is what chaos is about.
		<-time.After(time.Duration(50+rng.IntN(400)) * time.Millisecond)
		for _, p := range f.running(name) {
			if !killed[p.pid] && syscall.Kill(p.pid, syscall.SIGKILL) == nil {
				killed[p.pid] = true
				kills[name]++
				n++
			}
		}
	}
	if b, err := f.batch(id); err == nil && b.State == candor.BatchComplete {
		f.t.Logf("the batch had ended before the last kill: kills %v", kills)
	}
	f.t.Logf("kills: %v", kills)
	return kills
}

// running are the processes that are the brain, or the worker of that name. A
// worker's child looks like the worker between fork and exec: it is none.
func (f *farm) running(name string) []process {
	start := program + " worker --name " + name + " "
	if name == "brain" {
		start = program + " brain"
	}
	all := processesOf(f.dir)
	all = slices.DeleteFunc(all, func(p process) bool { return !strings.HasPrefix(p.command+" ", start) })
	return slices.DeleteFunc(all, func(p process) bool {
		return slices.ContainsFunc(all, func(o process) bool { return o.pid == p.parent })
	})
}

// checkChaos holds what the tasks wrote down against what candor says.
func (f *farm) checkChaos(id candor.BatchID) {
	f.t.Helper()
	b, err := f.batch(id)
	for _, task := range f.tasks(id) {
		if task.State == candor.TaskFailed {
			f.t.Errorf("%s failed: %s", task.Name, task.Reason.Text)
		}
	}
	if err != nil || b.Counts[candor.TaskComplete] != chaosTasks || b.Total != chaosTasks {
		f.t.Fatalf("the batch has %v (%v)", b.Counts, err)
	}
	claimed := map[candor.TaskID][]int64{} // leases, by the events
	for _, e := range f.events(candor.EventTaskClaimed) {
		claimed[e.Task] = append(claimed[e.Task], e.Lease)
	}
	again := 0
	for _, task := range f.tasks(id) {
		again += f.checkRuns(task, claimed[task.ID])
	}
	f.t.Logf("%d of %d tasks started more than once, each explained", again, chaosTasks)
	left, err := filepath.Glob(filepath.Join(f.state, "workers", "*", "leases", "*"))
	if err != nil || len(left) > 0 {
		f.t.Errorf("lease records are left: %q, %v", left, err)
	}
}

// checkRuns tells whether a task was started more than once (1 or 0), and fails
// the test for a start that nothing explains.
func (f *farm) checkRuns(task candor.Task, claimed []int64) int {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "runs", task.ID.String()))
	if err != nil {
		f.t.Errorf("%s is complete and never ran: %v", task.Name, err)
		return 0
	}
	var starts, ends []int64
	for l := range strings.Lines(string(text)) {
		words := strings.Fields(l)
		lease, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			f.t.Fatal(err)
		}
		switch words[0] {
		case "start":
			starts = append(starts, lease)
		case "end":
			ends = append(ends, lease)
		case "twice":
			f.t.Errorf("%s under lease %d started while pid %s of an earlier start was alive", task.Name, lease, words[2])
		}
	}
	attempts := map[int64]candor.Attempt{}
	done := 0
	for _, a := range f.attempts(task.ID) {
		attempts[a.Lease] = a
		if a.Outcome == candor.AttemptDone {
			done++
		}
	}
	if done != 1 || task.State != candor.TaskComplete {
		f.t.Errorf("%s is %s with %d attempts that did it", task.Name, task.State, done)
	}
	if !slices.Contains(ends, task.Lease) {
		f.t.Errorf("%s was done under lease %d, but the runs that ended are %v", task.Name, task.Lease, ends)
	}
	if out := strings.TrimSpace(f.read(filepath.Join(f.state, "batches", task.Batch.String(), task.Step, fmt.Sprintf("%05d", task.Index), "out"))); out != fmt.Sprint(task.Lease) {
		f.t.Errorf("%s: its output is that of lease %s, it was done under %d", task.Name, out, task.Lease)
	}
	for _, lease := range starts {
		a, known := attempts[lease]
		if !known || !slices.Contains(claimed, lease) {
			f.t.Errorf("%s ran under lease %d, of which there is no attempt or no claim on record: attempts %+v, claims %v", task.Name, lease, attempts, claimed)
			continue
		}
		if a.Outcome != candor.AttemptDone && a.Reason == nil {
			f.t.Errorf("%s: attempt %d ended %s without a reason", task.Name, a.Number, a.Outcome)
		}
	}
	if len(starts) > 1 {
		return 1
	}
	return 0
}

// TestF30: a brain that is frozen, and one that is dead for a while, costs
// the workers nothing but time (fault F30).
func TestF30BrainAway(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"frozen", "killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t, settings{"heartbeat.lost": "2s", "lease": "4s"})
			brain := f.brain()
			f.work("worker-1")
			f.work("worker-2")
			id := f.submit("gated", `
				one: {run: "`+f.gated("go")+`"}
				two: {run: "`+f.gated("go")+`"}
				then: {needs: [one, two], run: "true"}
			`)
			one, two := f.started(id, "one", 1), f.started(id, "two", 1)
			if how == "frozen" {
				brain.signal(syscall.SIGSTOP)
			} else {
				brain.kill()
			}
			f.write("go", "")
			f.until("the jobs end without the brain", func() bool {
				return !exists(f.starts(one.ID)[0]) && !exists(f.starts(two.ID)[0])
			})
			f.until("the results are kept", func() bool {
				all, _ := filepath.Glob(filepath.Join(f.state, "workers", "*", "spool", "*"))
				return len(all) == 2
			})
			// Longer than the lease: the brain was away, not the workers.
			<-time.After(5 * time.Second)
			if how == "frozen" {
				brain.signal(syscall.SIGCONT)
			} else {
				f.brain()
			}
			if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
				t.Errorf("the batch ended %s: %v", b.Outcome, b.Counts)
			}
			for _, task := range f.tasks(id) {
				if task.Attempt != 1 {
					t.Errorf("%s took %d attempts", task.Name, task.Attempt)
				}
				f.once(candor.EventTaskComplete, task.ID.String())
			}
			for _, lost := range f.events(candor.EventWorkerLost) {
				t.Errorf("a brain that was away blames its workers: %s", lost.Text)
			}
			if how == "frozen" { // its calls were answered late, and none failed
				f.logged("brain", 1, "The brain did not run for")
				return
			}
			f.until("the workers tell of it", func() bool {
				for _, w := range []string{"worker-1", "worker-2"} {
					n := 0
					for _, l := range f.log(w) {
						if strings.Contains(l.Text, "The brain answers again after") {
							n++
						}
					}
					if n == 0 {
						return false
					}
				}
				return true
			})
		})
	}
}
