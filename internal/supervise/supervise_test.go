//go:build linux || darwin

package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/process"
)

// job starts what an attempt of a worker would be, and records it as one.
func job(t *testing.T, dir, worker string, owner int, lease int64) int {
	t.Helper()
	leases := process.LeaseDir(dir, worker)
	if err := os.MkdirAll(leases, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(clock.System(), process.Spec{
		Argv: []string{os.Args[0]}, Dir: dir, Mark: []string{"CANDOR_WORK_DIR=" + dir},
		Env: []string{"SUPERVISE_TEST_PART=job", "SUPERVISE_TEST_DIR=" + dir},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Terminate(context.Background(), 0) })
	pids(t, filepath.Join(dir, "job"), 1)
	r := p.Record()
	r.Lease, r.Task = uint64(lease), "t_5g7n2k9q"
	r.Owner = process.Owner{PID: owner, Start: process.ProcState(owner).Start}
	if err := process.WriteRecord(process.LeasePath(leases, lease), r); err != nil {
		t.Fatal(err)
	}
	return p.PID()
}

// Fault F31: a worker that is killed three times comes back three times, each
// exit is told with its signal, and the supervisor lives.
func TestAKilledChildComesBack(t *testing.T) {
	dir := t.TempDir()
	s := supervise(t, dir, nil, child(dir, "worker-2", "worker", nil))
	for n := 1; n <= 3; n++ {
		all := pids(t, filepath.Join(dir, "pids"), n)
		if err := syscall.Kill(all[n-1], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.says(t, "worker-2 exited: signal: KILL (9); restarting in "+[]string{"20ms", "40ms", "80ms"}[n-1]+" (restart "+strconv.Itoa(n)+")")
	}
	last := pids(t, filepath.Join(dir, "pids"), 4)[3]
	s.stop()
	if err := s.over(t); err != nil {
		t.Error(err)
	}
	if alive(last) {
		t.Error("the child outlives its supervisor")
	}
	s.says(t, "worker-2 exited: exit 0, ended by us; not started again")
}

func TestWhatADeadWorkerLeftIsEndedAndTold(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	s := supervise(t, dir, host, child(dir, "worker-1", "worker", nil))
	worker := pids(t, filepath.Join(dir, "pids"), 1)[0]
	attempt := job(t, dir, "worker-1", worker, 17)
	host.told(t, "of a running worker", func(r candor.HostReport) bool {
		return len(r.Workers) == 1 && r.Workers[0].State == "running" && r.Workers[0].PID == worker && r.Supervisor == "up"
	})
	_ = syscall.Kill(worker, syscall.SIGKILL)
	r := host.told(t, "of its exit", func(r candor.HostReport) bool { return len(r.Workers) > 0 && r.Workers[0].State == exited })
	if w := r.Workers[0]; !w.Clean || w.PID != worker || w.Exit != "signal: KILL (9)" || len(w.Leftover) > 0 {
		t.Errorf("told %+v", w)
	}
	if alive(attempt) {
		t.Error("the attempt lives, but was told dead")
	}
	s.says(t, "Ended what worker-1 left of t_5g7n2k9q: pid "+strconv.Itoa(attempt))
	host.told(t, "of its successor", func(r candor.HostReport) bool {
		return len(r.Workers) == 1 && r.Workers[0].Restarts == 1 && r.Workers[0].State == "running"
	})
}

// A child that did not get the worker's name ends at once: what the one that has
// it runs is not the supervisor's to end.
func TestTheAttemptsOfALivingWorkerAreLeftAlone(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	other := job(t, dir, "worker-1", os.Getpid(), 17)
	s := supervise(t, dir, host, child(dir, "worker-1", "exit", func(c *Child) { c.Env = append(c.Env, "SUPERVISE_TEST_CODE=75") }))
	s.says(t, "exit 75; restarting in 40ms (restart 2)")
	if !alive(other) {
		t.Error("the attempt of a living worker was ended")
	}
	if _, err := os.Stat(process.LeasePath(process.LeaseDir(dir, "worker-1"), 17)); err != nil {
		t.Error(err)
	}
	host.told(t, "of the exit", func(r candor.HostReport) bool {
		return len(r.Workers) > 0 && r.Workers[0].State == exited && r.Workers[0].Clean
	})
}

// A record of a version that named no owner is the next worker's to clear; what
// was its worker's is not told to be over.
func TestARecordWithoutOwnerIsLeftToTheNextWorker(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	left := job(t, dir, "worker-1", 0, 17)
	s := supervise(t, dir, host, child(dir, "worker-1", "exit", func(c *Child) { c.Env = append(c.Env, "SUPERVISE_TEST_CODE=3") }))
	s.says(t, "exit 3; restarting in 20ms (restart 1)")
	if !alive(left) {
		t.Error("it was ended")
	}
	host.told(t, "of the exit", func(r candor.HostReport) bool {
		return len(r.Workers) > 0 && r.Workers[0].State == exited && !r.Workers[0].Clean
	})
}

// Faults F22 and F24: a frozen worker is told from a dead one, and its attempt
// can be ended while it is frozen.
func TestAFrozenWorkersAttemptIsFenced(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	s := supervise(t, dir, host, child(dir, "worker-1", "worker", nil))
	worker := pids(t, filepath.Join(dir, "pids"), 1)[0]
	attempt := job(t, dir, "worker-1", worker, 17)
	_ = syscall.Kill(worker, syscall.SIGSTOP)
	defer func() { _ = syscall.Kill(worker, syscall.SIGCONT) }()
	host.told(t, "of a stopped worker", func(r candor.HostReport) bool { return len(r.Workers) == 1 && r.Workers[0].State == "stopped" })
	if !alive(attempt) {
		t.Fatal("the attempt ended by itself")
	}
	host.order(candor.FenceOrder{Worker: "worker-1", Lease: 17, Task: 5})
	r := host.told(t, "of the fencing", func(r candor.HostReport) bool { return len(r.Fenced) == 1 })
	if f := r.Fenced[0]; f.Lease != 17 || f.Worker != "worker-1" || !f.Dead || len(f.Leftover) > 0 {
		t.Errorf("told %+v", f)
	}
	if alive(attempt) {
		t.Error("the attempt lives")
	}
	if _, fenced := process.Fenced(process.LeasePath(process.LeaseDir(dir, "worker-1"), 17)); !fenced {
		t.Error("the worker will not know when it thaws")
	}
	s.says(t, "Fenced "+candor.TaskID(5).String()+" on worker-1, which does not answer: ended pid "+strconv.Itoa(attempt))
	host.order(candor.FenceOrder{Worker: "worker-1", Lease: 18, Task: 6})
	host.told(t, "of a lease without a process", func(r candor.HostReport) bool {
		return len(r.Fenced) == 1 && r.Fenced[0].Lease == 18 && r.Fenced[0].Dead
	})
}

func TestReportsAreTriedAgain(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	host.err = candor.Errorf(candor.CodeUnavailable, "no brain")
	s := supervise(t, dir, host, child(dir, "worker-1", "worker", nil))
	s.says(t, "Report on the workers' processes failed: no brain; trying again")
	host.mu.Lock()
	n := len(host.reports)
	host.err = nil
	host.mu.Unlock()
	eventually(t, "another report", func() bool {
		host.mu.Lock()
		defer host.mu.Unlock()
		return len(host.reports) > n
	})
}

// F31: a worker may be started again before its end could be told: it is told
// then, once, with those before it.
func TestEachEndIsTold(t *testing.T) {
	dir, host := t.TempDir(), newHost()
	host.err = candor.Errorf(candor.CodeUnavailable, "no brain")
	s := supervise(t, dir, host, child(dir, "worker-1", "worker", nil))
	var ended []int
	for n := 1; n <= 3; n++ {
		pid := pids(t, filepath.Join(dir, "pids"), n)[n-1]
		if n < 3 {
			ended = append(ended, pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			s.says(t, fmt.Sprintf("restarting in %dms (restart %d)", 10<<n, n))
		}
	}
	host.mu.Lock()
	host.err = nil
	host.mu.Unlock()
	host.told(t, "of both ends, and of who runs", func(r candor.HostReport) bool {
		return len(r.Workers) == 3 && r.Workers[0].PID == ended[0] && r.Workers[1].PID == ended[1] && r.Workers[1].Exit == "signal: KILL (9)" &&
			r.Workers[2].State == "running"
	})
	host.told(t, "of who runs alone", func(r candor.HostReport) bool {
		return len(r.Workers) == 1 && r.Workers[0].State == "running" && r.Workers[0].Restarts == 2
	})
}

// Children end with a supervisor that is killed, and write into its pipe unharmed.
func TestChildrenEndWithAKilledSupervisor(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SUPERVISE_TEST_PART=supervisor", "SUPERVISE_TEST_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	worker := pids(t, filepath.Join(dir, "pids"), 1)[0]
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if got := pids(t, filepath.Join(dir, "orphaned"), 1); got[0] != worker {
		t.Errorf("pid %d noticed, not %d", got[0], worker)
	}
	eventually(t, "the end of the child", func() bool { return !alive(worker) })
}

func TestOrphaned(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	env := func(v string) func(string) string { return func(string) string { return v } }
	if gone, err := Orphaned(ctx, clock.System(), env("")); gone != nil || err != nil {
		t.Errorf("without a supervisor: %v, %v", gone, err)
	}
	if _, err := Orphaned(ctx, clock.System(), env("x")); err == nil {
		t.Error("x is no process number")
	}
	gone, err := Orphaned(ctx, clock.System(), env("1"))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("a supervisor that was gone before is not noticed")
	}
}

func TestStagesStartUpwardsAndStopDownwards(t *testing.T) {
	dir := t.TempDir()
	release := make(chan struct{})
	brain := child(dir, "brain", "worker", func(c *Child) {
		c.Worker = false
		c.Ready = func(ctx context.Context) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		}
	})
	s := supervise(t, dir, nil, brain, child(dir, "worker-1", "worker", func(c *Child) { c.Stage = 1 }))
	first := pids(t, filepath.Join(dir, "pids"), 1)[0]
	if strings.Contains(s.log.String(), "worker-1 started") {
		t.Error("worker-1 started before the brain was ready")
	}
	close(release)
	second := pids(t, filepath.Join(dir, "pids"), 2)[1]
	s.stop()
	if err := s.over(t); err != nil {
		t.Error(err)
	}
	if alive(first) || alive(second) {
		t.Error("children outlive their supervisor")
	}
	log := s.log.String()
	if down, up := strings.Index(log, "Stopping worker-1"), strings.Index(log, "Stopping brain"); down < 0 || up < down {
		t.Errorf("stopped in the wrong order:\n%s", log)
	}
	if i, j := strings.Index(log, "worker-1 exited"), strings.Index(log, "Stopping brain"); j < i {
		t.Errorf("the brain was stopped before the worker had ended:\n%s", log)
	}
}

func TestADeafChildIsKilled(t *testing.T) {
	dir := t.TempDir()
	s := supervise(t, dir, nil, child(dir, "worker-1", "deaf", func(c *Child) { c.Grace = 50 * time.Millisecond }))
	pid := pids(t, filepath.Join(dir, "pids"), 1)[0]
	s.stop()
	if err := s.over(t); err != nil {
		t.Error(err)
	}
	if alive(pid) {
		t.Error("it lives")
	}
	s.says(t, "worker-1 did not stop on TERM within 50ms: killed")
}

func TestAChildThatEndsWellIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s := supervise(t, dir, nil, child(dir, "worker-1", "exit", func(c *Child) { c.Env = append(c.Env, "SUPERVISE_TEST_CODE=0") }))
	if err := s.over(t); err != nil {
		t.Error(err)
	}
	s.says(t, "worker-1 exited: exit 0; not started again")
}

func TestAChildThatFailsComesBackSlower(t *testing.T) {
	dir := t.TempDir()
	s := supervise(t, dir, nil, child(dir, "worker-1", "exit", func(c *Child) { c.Env = append(c.Env, "SUPERVISE_TEST_CODE=3") }))
	for _, part := range []string{"exit 3; restarting in 20ms (restart 1)", "exit 3; restarting in 40ms (restart 2)", "exit 3; restarting in 80ms (restart 3)"} {
		s.says(t, part)
	}
}

func TestACommandThatIsNotThereIsAnError(t *testing.T) {
	dir := t.TempDir()
	err := Run(context.Background(), Options{Name: "up", StateDir: dir, Log: slog.New(slog.DiscardHandler), Children: []Child{
		child(dir, "worker-1", "worker", nil),
		{Name: "brain", Argv: []string{filepath.Join(dir, "missing")}},
	}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start brain: ") {
		t.Errorf("err %v", err)
	}
}

func TestConsoleAndLogs(t *testing.T) {
	dir, console := t.TempDir(), &text{}
	log := filepath.Join(dir, "w.log")
	s := supervise(t, dir, nil, child(dir, "worker-1", "worker", func(c *Child) { c.LogFile, c.Console = log, console }))
	pid := pids(t, filepath.Join(dir, "pids"), 1)[0]
	eventually(t, "the first line", func() bool { return console.String() == "up\n" })
	eventually(t, "all of what it says", func() bool { b, _ := os.ReadFile(log); return string(b) == "up\nno end of line" })
	_ = syscall.Kill(pid, syscall.SIGKILL)
	pids(t, filepath.Join(dir, "pids"), 2)
	eventually(t, "the rest, and the successor's first line", func() bool { return console.String() == "up\nno end of line\nup\n" })
	if b, _ := os.ReadFile(log + ".1"); string(b) != "up\nno end of line" {
		t.Errorf("the former log says %q", b)
	}
	s.stop()
	if err := s.over(t); err != nil {
		t.Error(err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"no children": {StateDir: "x"},
		"no command":  {StateDir: "x", Children: []Child{{Name: "a"}}},
		"same name":   {StateDir: "x", Children: []Child{{Name: "a", Argv: []string{"x"}}, {Name: "a", Argv: []string{"x"}}}},
		"no log file": {StateDir: "x", Children: []Child{{Name: "a", Argv: []string{"x"}, Console: &text{}}}},
	} {
		if err := Run(context.Background(), o); candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
