//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"candor"
)

// quick are settings under which a silent worker is lost and its tasks taken
// back within seconds.
func quick() settings {
	return settings{"heartbeat.lost": "2s", "heartbeat.asking": "5s", "lease": "4s"}
}

// shellAlive tells, in a script, whether the process with a pid and a time of birth
// lives. It takes one look at both: what is dead may be taken away between two.
const shellAlive = `
alive() {
  born_then=$2
  set -- $(cat "/proc/$1/stat" 2>/dev/null)
  [ "${22:-gone}" = "$born_then" ] && [ "$3" != Z ] && [ "$3" != X ]
}
`

// gated is a task that runs until a file of the farm is there. It writes down
// each start, and every process of an earlier start that it finds alive.
func (f *farm) gated(file string) string {
	// A pid is used again; with the time of its birth it is one process for ever.
	return fmt.Sprintf(`exec sh %s %s`, f.write("gated.sh", shellAlive+`
touch "`+f.dir+`/$CANDOR_TASK_ID.pids"
while read -r pid born; do
  if alive "$pid" "$born"; then
    echo "$pid" >> "`+f.dir+`/$CANDOR_TASK_ID.twice"
  fi
done < "`+f.dir+`/$CANDOR_TASK_ID.pids"
echo "$$ $(cut -d' ' -f22 /proc/$$/stat)" >> "`+f.dir+`/$CANDOR_TASK_ID.pids"
while [ ! -e "$1" ]; do sleep 0.05; done
`), filepath.Join(f.dir, file))
}

// starts are the processes of a gated task, oldest first.
func (f *farm) starts(id candor.TaskID) []int {
	text, _ := os.ReadFile(filepath.Join(f.dir, id.String()+".pids"))
	var out []int
	for l := range strings.Lines(string(text)) {
		pid, _, _ := strings.Cut(l, " ")
		n, err := strconv.Atoi(pid)
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// ranTwice tells whether some start of a gated task found an earlier one alive.
func (f *farm) ranTwice(id candor.TaskID) bool {
	_, err := os.Stat(filepath.Join(f.dir, id.String()+".twice"))
	return err == nil
}

func (f *farm) started(id candor.BatchID, name string, times int) candor.Task {
	f.t.Helper()
	task := f.task(id, name)
	f.until(fmt.Sprintf("%s has started %d times", name, times), func() bool { return len(f.starts(task.ID)) >= times })
	return f.task(id, name)
}

// TestF20: a worker that panics says so with its stack and what it did, hands
// its tasks back and leaves nothing running; the brain knows at once.
func TestF20WorkerPanics(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	w := f.hooked("worker-1", "claim")
	f.ends(f.submit("before", `
		a: {foreach: {items: [1, 2, 3]}, run: "true"}
	`))
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`", retries: 0}
	`)
	task := f.started(id, "long", 1)
	f.write("panic", "")
	f.submit("trigger", `
		a: {run: "true"}
	`)
	if code := w.wait(); code != 1 {
		t.Errorf("the worker left with %d", code)
	}
	if pid := f.starts(task.ID)[0]; exists(pid) {
		t.Errorf("its task's process %d is still there", pid)
	}
	crashed := f.logged("worker-1", 1, "Worker worker-1 crashed in main loop: KeyError: model_name")
	if len(crashed) == 1 && (crashed[0].Level != "ERROR" || !strings.Contains(crashed[0].Stack, "hookedWorker")) {
		t.Errorf("the crash is told with %s and stack %q", crashed[0].Level, crashed[0].Stack)
	}
	f.logged("worker-1", 1, "Worker worker-1 shutting down - completed 4 tasks")
	f.once(candor.EventWorkerLeft, "Worker worker-1 crashed: KeyError: model_name", "completed 4 tasks")
	f.saysWhy("worker-1", candor.ReasonWorkerGone, candor.MoverOperator, "worker-1 crashed (KeyError: model_name)", "ago (pid ")

	task = f.task(id, "long")
	if task.State != candor.TaskQueued || task.Counted != 0 {
		t.Errorf("its task is %s, %d attempts counted", task.State, task.Counted)
	}
	if tries := f.attempts(task.ID); len(tries) != 1 || tries[0].Outcome != candor.AttemptLost || tries[0].Counted {
		t.Errorf("attempts: %+v", tries)
	}
	f.write("go", "")
	f.work("worker-2")
	f.ends(id)
	if task := f.task(id, "long"); task.State != candor.TaskComplete || task.Attempt != 2 || task.Worker != "worker-2" {
		t.Errorf("in the end: %+v", task)
	}
}

// TestF21: a killed worker that nobody supervises is noticed by its silence; what
// it left running is named, and ended when it comes back.
func TestF21WorkerKilledAlone(t *testing.T) {
	t.Parallel()
	f := newFarm(t, quick())
	f.brain()
	w := f.work("worker-1")
	id := f.submit("gated", `
		long: {run: "setsid sleep 3211 & `+f.gated("go")+`"}
	`)
	task := f.started(id, "long", 1)
	pid := f.starts(task.ID)[0] // ends with the worker; what it started does not
	left := f.alive("sleep 3211")
	f.until("the brain knows the process", func() bool {
		w := f.worker("worker-1")
		return len(w.Running) == 1 && w.Running[0].Progress.PID != 0
	})
	w.kill()
	f.until("it is lost", func() bool { return f.worker("worker-1").State == candor.WorkerLost })
	f.saysWhy("worker-1", candor.ReasonWorkerLost, candor.MoverOperator, "last heartbeat", "ago (threshold 2s)")
	f.until("its lease ends", func() bool { return f.task(id, "long").State == candor.TaskQueued })
	f.once(candor.EventWorkerLost, "worker-1", "last heartbeat", "threshold 2s", "1 task")
	f.once(candor.EventRunsTwice, task.ID.String(), "worker-1", fmt.Sprint("pid ", pid))
	if len(left) != 1 || exists(pid) || !exists(left[0].pid) {
		t.Errorf("nobody but %d could have ended, and of %v nobody", pid, left)
	}
	again := f.work("worker-1")
	if exists(left[0].pid) {
		t.Errorf("%v outlives the start of its worker", left)
	}
	f.logged("worker-1", 1, "Ended what a former session left", fmt.Sprintf("pid %d (sleep)", left[0].pid))
	f.started(id, "long", 2)
	f.write("go", "")
	f.ends(id)
	if task := f.task(id, "long"); task.State != candor.TaskComplete || task.Attempt != 2 || task.Counted > 1 {
		t.Errorf("in the end: %+v", task)
	}
	if f.ranTwice(task.ID) {
		t.Error("the second start found the first one alive")
	}
	again.stop()
}

// TestF21Supervised: a killed worker under candor up is known to be dead at once,
// with its signal, and its children with it.
func TestF21WorkerKilledSupervised(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("gated", `
		long: {run: "setsid sleep 3213 & `+f.gated("go")+`", retries: 0}
	`)
	task := f.started(id, "long", 1)
	pid, child := f.worker("worker-1").PID, f.starts(task.ID)[0]
	f.until("its child is there", func() bool { return len(f.alive("sleep 3213")) == 1 })
	far := f.alive("sleep 3213")[0]
	kill(t, pid, syscall.SIGKILL)
	f.until("the brain knows of its death", func() bool { return len(f.events(candor.EventWorkerExited)) > 0 })
	if exists(child) || exists(far.pid) {
		t.Errorf("of its task's processes %d and %d one is still there", child, far.pid)
	}
	f.once(candor.EventWorkerExited, "worker-1", fmt.Sprint("pid ", pid), "signal: KILL (9)", "1 task")
	f.logged("up", 1, "worker-1 exited: signal: KILL (9)", "restarting in")
	f.logged("up", 1, "Ended what worker-1 left of", fmt.Sprintf("pid %d (sleep)", far.pid))
	f.started(id, "long", 2)
	if f.ranTwice(task.ID) {
		t.Error("the second start found the first one alive")
	}
	f.write("go", "")
	f.ends(id)
	tries := f.attempts(task.ID)
	if len(tries) != 2 || tries[0].Outcome != candor.AttemptLost || tries[0].Counted || tries[1].Outcome != candor.AttemptDone {
		t.Fatalf("attempts: %+v", tries)
	}
	f.reason(tries[0].Reason, candor.ReasonWorkerDied, candor.MoverSystem, "worker-1", "KILL (9)")
}

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("%s to %d: %v", s, pid, err)
	}
}

// TestF22F24: a frozen worker is told from a dead one. When its lease ends, its
// supervisor ends the task's processes before another copy starts; after the
// thaw its late result is refused.
func TestF22F24WorkerFrozenSupervised(t *testing.T) {
	t.Parallel()
	f := newFarm(t, quick())
	f.up(2)
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`", retries: 0}
	`)
	task := f.started(id, "long", 1)
	frozen := f.worker(f.task(id, "long").Worker)
	kill(t, frozen.PID, syscall.SIGSTOP)
	f.until("the supervisor sees it", func() bool { return len(f.events(candor.EventWorkerStopped)) == 1 })
	f.once(candor.EventWorkerStopped, frozen.Name, "stopped, not dead", fmt.Sprintf("kill -CONT %d", frozen.PID))
	f.started(id, "long", 2)
	if f.ranTwice(task.ID) {
		t.Error("a second copy started while the first was alive")
	}
	f.once(candor.EventLeaseExpired, task.ID.String(), frozen.Name, "silent for")
	f.logged("up", 1, "Fenced "+task.ID.String()+" on "+frozen.Name)
	if twice := f.events(candor.EventRunsTwice); len(twice) > 0 {
		t.Errorf("nothing ran twice, but: %q", twice[0].Text)
	}
	f.saysWhy(frozen.Name, candor.ReasonWorkerLost, candor.MoverOperator, "last heartbeat", "is stopped")
	kill(t, frozen.PID, syscall.SIGCONT)
	f.until("it is back", func() bool { return f.worker(frozen.Name).State == candor.WorkerReady })
	f.until("its late result is refused", func() bool { return len(f.events(candor.EventResultFenced)) > 0 })
	f.once(candor.EventResultFenced, task.ID.String(), frozen.Name)
	f.write("go", "")
	f.ends(id)
	done := f.task(id, "long")
	if done.State != candor.TaskComplete || done.Attempt != 2 || done.Worker == frozen.Name {
		t.Errorf("in the end: %s after %d attempts on %s", done.State, done.Attempt, done.Worker)
	}
}

// TestF24Unsupervised: where nobody can end a silent worker's process, the second
// copy is named as what it is.
func TestF24WorkerFrozenAlone(t *testing.T) {
	t.Parallel()
	f := newFarm(t, quick())
	f.brain()
	w := f.work("worker-1")
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`", retries: 0}
	`)
	task := f.started(id, "long", 1)
	first := f.starts(task.ID)[0]
	f.until("the brain knows the process", func() bool {
		w := f.worker("worker-1")
		return len(w.Running) == 1 && w.Running[0].Progress.PID != 0
	})
	w.signal(syscall.SIGSTOP)
	f.work("worker-2")
	f.started(id, "long", 2)
	f.once(candor.EventRunsTwice, task.ID.String(), "worker-1", fmt.Sprint("pid ", first))
	w.signal(syscall.SIGCONT)
	f.until("the former copy is ended", func() bool { return !exists(first) })
	f.write("go", "")
	f.ends(id)
	if done := f.task(id, "long"); done.State != candor.TaskComplete || done.Worker != "worker-2" || done.Attempt != 2 {
		t.Errorf("in the end: %s after %d attempts on %s", done.State, done.Attempt, done.Worker)
	}
}

// TestF23: a worker that is cut off works on, keeps its result and delivers it
// once; its task is neither lost nor done twice.
func TestF23WorkerCutOff(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"heartbeat.lost": "1s", "lease": "60s"})
	f.brain("--listen", "127.0.0.1:0")
	p := newProxy(t, f.listening())
	f.work("worker-1", "--brain", "http://"+p.addr())
	id := f.submit("gated", `
		long: {run: "`+f.gated("go")+`"}
	`)
	task := f.started(id, "long", 1)
	p.cut()
	f.until("it is lost", func() bool { return f.worker("worker-1").State == candor.WorkerLost })
	f.saysWhy(task.ID.String(), candor.ReasonOffline, candor.MoverSystem, "worker-1")
	f.write("go", "")
	f.until("the job has ended", func() bool { return !exists(f.starts(task.ID)[0]) })
	f.until("its result is spooled", func() bool {
		all, _ := filepath.Glob(filepath.Join(f.state, "workers", "worker-1", "spool", "*"))
		return len(all) > 0
	})
	if state := f.task(id, "long").State; state != candor.TaskProcessing {
		t.Errorf("while it is cut off, its task is %s", state)
	}
	p.mend()
	f.ends(id)
	done := f.task(id, "long")
	if done.State != candor.TaskComplete || done.Attempt != 1 || len(f.starts(task.ID)) != 1 {
		t.Errorf("in the end: %s after %d attempts, %d starts", done.State, done.Attempt, len(f.starts(task.ID)))
	}
	f.once(candor.EventTaskComplete, task.ID.String())
	f.once(candor.EventWorkerLost, "worker-1")
	f.once(candor.EventWorkerBack, "worker-1", "silence")
}

// TestF25: three kinds of hanging are told apart; each is ended, verified and
// tried again, and each step is one line.
func TestF25HungJobs(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"stuck.cpu": "1s", "worker.kill_grace": "300ms"})
	f.up(3)
	id := f.submit("hung", `
		sleeps: {run: "exec sleep 3251", no_progress: 2s, retries: 1}
		spins: {run: "while :; do :; done", no_progress: 2s, retries: 1}
		stands: {run: "trap '' TERM; kill -STOP $$", no_progress: 2s, retries: 1}
	`)
	b := f.ends(id)
	if b.Counts[candor.TaskFailed] != 3 {
		t.Fatalf("ended with %v", b.Counts)
	}
	for name, word := range map[string]string{"sleeps": "sleeps", "spins": "spins", "stands": "is stopped"} {
		task := f.task(id, name)
		f.saysWhy(task.ID.String(), candor.ReasonNoProgress, candor.MoverYou, "no progress for 2", "limit 2s", word)
		tries := f.attempts(task.ID)
		if len(tries) != 2 || tries[0].Outcome != candor.AttemptSilent || !tries[0].Counted {
			t.Errorf("%s: attempts %+v", name, tries)
		}
		f.once(candor.EventTaskRetry, task.ID.String(), word)
		f.once(candor.EventTaskFailed, task.ID.String(), word)
		for _, a := range tries {
			ending, ended := 0, 0
			for _, l := range f.log(a.Worker) {
				if l.Task == task.ID.String() && l.Lease == a.Lease {
					if strings.HasPrefix(l.Text, "Ending ") {
						ending++
					}
					if strings.HasPrefix(l.Text, "Ended ") && strings.Contains(l.Text, "no process of it is left") {
						ended++
					}
				}
			}
			if ending != 1 || ended != 1 {
				t.Errorf("%s under lease %d: %d lines say that it is being ended, %d that it is gone", name, a.Lease, ending, ended)
			}
		}
	}
	// A spinning job moves, by the account of its CPU; the two others are stuck.
	for _, name := range []string{"sleeps", "stands"} {
		if n := len(f.eventsOf(candor.EventTaskStuck, f.task(id, name).ID)); n != 2 {
			t.Errorf("%s was called stuck %d times in two attempts", name, n)
		}
	}
}

func (f *farm) eventsOf(code candor.EventCode, task candor.TaskID) []candor.Event {
	f.t.Helper()
	var out []candor.Event
	for _, e := range f.events(code) {
		if e.Task == task {
			out = append(out, e)
		}
	}
	return out
}

// TestF26: a job that prints without end is not held up, and what is kept of it
// is bounded and says so.
func TestF26EndlessOutput(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("chatty", `
		talks: {run: "yes 0123456789abcdef | head -c 200000000; echo the end", timeout: 50s}
	`)
	f.ends(id)
	task := f.task(id, "talks")
	if task.State != candor.TaskComplete {
		t.Fatalf("the task is %s: %+v", task.State, task.Reason)
	}
	tries := f.attempts(task.ID)
	if len(tries) != 1 || tries[0].Exit == nil || tries[0].Exit.Written != 200_000_008 || !tries[0].Exit.Cut {
		t.Fatalf("attempts: %+v", tries)
	}
	info, err := os.Stat(filepath.Join(tries[0].Dir, "log"))
	if err != nil || info.Size() > 40<<20 {
		t.Errorf("its log: %+v, %v", info, err)
	}
	f.logged("worker-1", 1, "truncated", "190.7 MiB written")
	out := f.candor("logs", task.ID.String()).ok().out
	if !strings.Contains(out[:min(len(out), 100)], "0123456789abcdef\n") || !strings.HasSuffix(out, "the end\n") {
		t.Errorf("the log lacks its beginning or end: %q … %q", out[:min(len(out), 40)], out[max(0, len(out)-40):])
	}
	if !strings.Contains(out, "truncated") {
		t.Error("the log does not say where it was truncated")
	}
}

// TestF31: what a supervised worker dies of is told each time with its signal,
// restarts come with growing pauses, and the supervisor lives.
func TestF31SupervisorSeesDeaths(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"supervise.backoff": "100ms", "supervise.backoff_max": "10s"})
	up := f.up(1)
	former := 0
	for i := range 3 {
		var pid int
		f.until("it runs again", func() bool {
			w := f.worker("worker-1")
			pid = w.PID
			return pid != former && exists(pid) && w.State == candor.WorkerReady
		})
		former = pid
		kill(t, pid, syscall.SIGKILL)
		f.until("its death is told", func() bool { return len(f.events(candor.EventWorkerExited)) == i+1 })
		f.once(candor.EventWorkerExited, fmt.Sprintf("(pid %d)", pid), "signal: KILL (9)")
	}
	f.until("it runs a fourth time", func() bool {
		w := f.worker("worker-1")
		return w.PID != former && w.State == candor.WorkerReady
	})
	for i, pause := range []string{"100ms", "200ms", "400ms"} {
		f.logged("up", 1, "worker-1 exited: signal: KILL (9)", "restarting in "+pause, fmt.Sprintf("restart %d", i+1))
	}
	if !up.alive() {
		t.Error("the supervisor has ended")
	}
	f.ends(f.submit("after", `
		a: {run: "true"}
	`))
}

// listening is the TCP address on which the farm's brain listens.
func (f *farm) listening() string {
	f.t.Helper()
	var addr string
	f.until("the brain says where it listens", func() bool {
		for _, l := range f.log("brain") {
			if at, ok := strings.CutPrefix(l.Text, "Brain listening on http://"); ok {
				addr = at
			}
		}
		return addr != ""
	})
	return addr
}
