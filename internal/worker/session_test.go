//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/process"
)

// playWorker is a worker in a process of its own, to be killed: its only task
// says its number and sleeps.
func playWorker() {
	dir := os.Getenv("WORKER_TEST_DIR")
	b := newBrain()
	b.add(spec(dir, run(`echo $$ >> `+dir+`/pids; (sleep 600 & echo $! >> `+dir+`/pids; echo ready > `+dir+`/ready; wait) & wait`)), -1, "")
	_ = Run(context.Background(), options(b, dir, &lines{}))
}

// appears waits for a file.
func appears(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s does not appear", path)
		}
	}
}

func TestSuccessorEndsWhatAKilledWorkerLeft(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "WORKER_TEST_PART=worker", "WORKER_TEST_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	appears(t, filepath.Join(dir, "ready"))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	pids := strings.Fields(read(t, filepath.Join(dir, "pids")))
	alive := 0
	for _, p := range pids {
		if pid, _ := strconv.Atoi(p); process.ProcState(pid).State.Alive() {
			alive++
		}
	}
	if alive == 0 {
		t.Fatal("nothing outlived the worker: the test tests nothing")
	}
	b := newBrain()
	f := startIn(t, b, dir, nil)
	f.log.wait(t, "Joined the brain")
	for _, p := range pids {
		if pid, _ := strconv.Atoi(p); process.ProcState(pid).State.Alive() {
			t.Errorf("pid %d was alive when its successor registered", pid)
		}
	}
	f.log.wait(t, "WARN Ended what a former session left of "+candor.TaskID(1001).String()+": pid ")
	b.until(t, "registration", func() bool { return len(b.registers) == 1 })
	if r := b.registers[0]; !r.Verified || len(r.Leftover) > 0 || len(r.Holds) > 0 || r.Info.PID != os.Getpid() {
		t.Errorf("registered as %+v", r)
	}
	empty(t, process.LeaseDir(dir, "worker-1"))
}

func TestTwoProcessesAreNotOneWorker(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	f.log.wait(t, "Joined")
	err := Run(context.Background(), options(b, f.dir, &lines{}))
	if candor.CodeOf(err) != candor.CodeLocked || !strings.Contains(err.Error(), "worker worker-1 already runs on "+f.dir+" (pid "+strconv.Itoa(os.Getpid())+")") {
		t.Errorf("err %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Name: "../x", StateDir: "x"}, {Name: "", StateDir: "x"}, {Name: "ok"}} {
		if err := Run(context.Background(), o); candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Fault F60: nobody mends a wrong token by waiting.
func TestABrainThatWillNotHaveUsIsNotAskedAgain(t *testing.T) {
	b := newBrain()
	b.down = candor.Errorf(candor.CodeForbidden, "role viewer may not register workers")
	f := start(t, b, nil)
	if err := f.over(); candor.CodeOf(err) != candor.CodeForbidden {
		t.Errorf("err %v", err)
	}
	f.log.wait(t, "INFO Worker worker-1 shutting down")
	text := f.log.text()
	said, bye := strings.Index(text, "ERROR The brain refuses worker worker-1: role viewer may not register workers"), strings.Index(text, "shutting down")
	if said < 0 || bye < said {
		t.Errorf("the log does not say why, and then good-bye:\n%s", text)
	}
}

// A name that has gone to somebody else does not come back: what runs under it is
// ended, and the worker says why it leaves.
func TestAWorkerWhoseNameIsTakenLeaves(t *testing.T) {
	b := newBrain()
	taken := candor.Errorf(candor.CodeConflict, "worker-1 is a worker already: pid 7 on b, last heartbeat 1s ago")
	b.joinErr = append([]error{nil}, slices.Repeat([]error{taken}, 20)...) // reporter and main loop may both ask
	f := start(t, b, nil)
	b.add(spec(f.dir, run(`echo $$ > `+f.dir+`/pid; sleep 600`)), -1, "")
	appears(t, filepath.Join(f.dir, "pid"))
	b.set(func() { b.session += 100 })
	if err := f.over(); candor.CodeOf(err) != candor.CodeConflict {
		t.Errorf("err %v", err)
	}
	f.log.wait(t, "ERROR The brain refuses worker worker-1: worker-1 is a worker already: pid 7 on b")
	if pid, _ := strconv.Atoi(strings.TrimSpace(read(t, filepath.Join(f.dir, "pid")))); process.ProcState(pid).State.Alive() {
		t.Errorf("pid %d runs on", pid)
	}
}

// Fault F23: cut off from the brain, the work goes on and its result is
// delivered once.
func TestAnAbsentBrainCostsNothingButTime(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	gate := filepath.Join(f.dir, "gate")
	lease := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up; while [ ! -e `+gate+` ]; do sleep 0.02; done`)), -1, "")
	appears(t, filepath.Join(f.dir, "up"))
	b.set(func() { b.down = candor.Errorf(candor.CodeUnavailable, "the brain cannot be reached") })
	f.log.wait(t, "WARN Heartbeat failed: the brain cannot be reached; trying again; 1 attempt runs on")
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.log.wait(t, "Completed cpu task")
	spooled, _ := filepath.Glob(filepath.Join(f.dir, "workers", "worker-1", "spool", "*.json"))
	if len(spooled) != 1 {
		t.Errorf("spool holds %v", spooled)
	}
	b.set(func() { b.down = nil })
	if r := b.result(t, lease); r.Outcome != candor.AttemptDone {
		t.Errorf("result %+v", r)
	}
	f.log.wait(t, "INFO The brain answers again after ")
	f.stop <- "TERM"
	if err := f.over(); err != nil {
		t.Fatal(err)
	}
	if n := len(b.results[lease]); n != 1 {
		t.Errorf("delivered %d times", n)
	}
	empty(t, filepath.Join(f.dir, "workers", "worker-1", "spool"))
}

func TestASpooledResultOutlivesItsProcess(t *testing.T) {
	dir := t.TempDir()
	spoolDir := filepath.Join(dir, "workers", "worker-1", "spool")
	if err := os.MkdirAll(spoolDir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, _ := openSpool(spoolDir)
	for _, lease := range []int64{11, 12, 13, 14, 15} {
		if err := s.put(candor.Result{Task: candor.TaskID(lease), Lease: lease, Outcome: candor.AttemptDone}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(spoolDir, "16.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(spoolDir, "17.json.new"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	verdicts := map[int64]candor.ResultVerdict{11: candor.ResultTaken, 12: candor.ResultRepeated, 13: candor.ResultLate, 14: candor.ResultFenced, 15: candor.ResultUnknown}
	b := newBrain()
	b.verdict = func(r candor.Result) candor.ResultVerdict { return verdicts[r.Lease] }
	f := startIn(t, b, dir, nil)
	b.result(t, 15)
	f.log.wait(t, "knows no such task")
	if got := b.registers[0].Holds; !cmp.Equal(got, []int64{11, 12, 13, 14, 15}) {
		t.Errorf("holds %v", got)
	}
	f.stop <- "TERM"
	if err := f.over(); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]int{
		"INFO A former session left 5 results to deliver":               1,
		"ERROR A spooled result cannot be read and is set aside":        1,
		"INFO Result of " + short(12) + " (done) had arrived before":    1,
		"INFO Result of " + short(13) + " (done) came late":             1,
		"WARN Result of " + short(14) + " (done) was refused: lease 14": 1,
		"WARN Result of " + short(15) + " (done): the brain knows no":   1,
		"Result of " + short(11):                                        0,
	} {
		if n := f.log.count(part); n != want {
			t.Errorf("%q is told %d times, want %d", part, n, want)
		}
	}
	left, _ := filepath.Glob(filepath.Join(spoolDir, "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "16.json.unreadable" {
		t.Errorf("spool holds %v", left)
	}
}

// A brain that lost us is joined again with what runs; what it does not want
// any more is ended.
func TestAForgottenSessionIsRenewed(t *testing.T) {
	b := newBrain()
	f := start(t, b, func(o *Options) { o.Slots = 2 })
	keep := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up1; sleep 60`)), -1, "")
	dropped := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up2; sleep 60`)), -1, "")
	appears(t, filepath.Join(f.dir, "up1"))
	appears(t, filepath.Join(f.dir, "up2"))
	b.set(func() { b.session, b.drop = b.session+100, []int64{dropped} })
	b.until(t, "a second registration", func() bool { return len(b.registers) == 2 })
	if got := b.registers[1].Holds; !cmp.Equal(got, []int64{keep, dropped}) {
		t.Errorf("holds %v", got)
	}
	r := b.result(t, dropped)
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonFenced {
		t.Errorf("result %+v", r)
	}
	b.beat(t, "of the one that runs on", func(h candor.HeartbeatRequest) bool {
		return h.Session > 100 && len(h.Running) == 1 && h.Running[0].Lease == keep
	})
}

// A claim whose answer is lost may have been granted: the leases are counted anew.
func TestAClaimOfUnknownFateIsCleared(t *testing.T) {
	b := newBrain()
	b.claimErr = []error{candor.Errorf(candor.CodeUnavailable, "connection reset")}
	f := start(t, b, nil)
	b.add(spec(f.dir, run("true")), -1, "") // granted to nobody
	b.until(t, "a second registration", func() bool { return len(b.registers) == 2 })
	if r := b.result(t, b.add(spec(f.dir, run("true")), -1, "")); r.Outcome != candor.AttemptDone {
		t.Errorf("result %+v", r)
	}
}

func TestAResultThatTheBrainRefusesHoldsNothingUp(t *testing.T) {
	b := newBrain()
	w := &worker{o: options(b, t.TempDir(), &lines{})}
	w.spool, _ = openSpool(t.TempDir())
	big := candor.Result{Task: 1, Lease: 1, Outcome: candor.AttemptFailed, Tail: "text", Reason: candor.NewReason(candor.ReasonExitCode, "exit 1")}
	for _, r := range []candor.Result{big, {Task: 2, Lease: 2, Outcome: candor.AttemptDone}} {
		if err := w.spool.put(r); err != nil {
			t.Fatal(err)
		}
	}
	refusal := candor.Errorf(candor.CodeTooLarge, "too large")
	all := w.spool.take()
	w.spool.giveBack(all)
	w.refused(all, refusal)
	one := w.spool.take()
	if len(all) != 2 || len(one) != 1 || one[0].Lease != 1 {
		t.Fatalf("took %d, then %d", len(all), len(one))
	}
	w.spool.giveBack(one)
	w.refused(one, refusal)
	if bare := w.spool.take(); len(bare) != 1 || bare[0].Tail != "" || bare[0].Reason.Text != "exit 1" {
		t.Fatalf("then %+v", bare)
	} else {
		w.spool.giveBack(bare)
		w.refused(bare, refusal)
	}
	if left := w.spool.unsent(); !cmp.Equal(left, []int64{2}) {
		t.Errorf("left %v", left)
	}
	if _, err := os.Stat(w.spool.path(1) + ".refused"); err != nil {
		t.Error(err)
	}
}

func TestTheBrainsOrdersAreToldOnce(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	b.set(func() { b.orders.Draining, b.orders.Paused = true, true })
	f.log.wait(t, "INFO The brain drains this worker")
	f.log.wait(t, "INFO The brain paused this worker")
	n := 0
	b.set(func() { n = len(b.beats) })
	b.until(t, "more heartbeats", func() bool { return len(b.beats) > n+3 })
	b.set(func() { b.orders = candor.HeartbeatReply{} })
	f.log.wait(t, "INFO The brain ends the drain")
	if n := f.log.count("drains this worker"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// The lines that were asked for after the incident (docs/architecture.md), in their
// order, with the truth that the log of then could not tell.
func TestSeedLines(t *testing.T) {
	b := newBrain()
	b.report = &candor.Report{
		Queued: map[candor.Class]int{candor.ClassLLM: 125}, Refused: map[candor.ReasonCode]int{candor.ReasonModelCold: 125},
		Why: []candor.Reason{{Code: candor.ReasonModelCold, Text: "qwen2.5:7b is not loaded here"}},
	}
	f := start(t, b, func(o *Options) {
		o.Slots, o.Poll = 1, 10*time.Millisecond
		o.Classes = []candor.Class{candor.ClassResource, candor.ClassScript, candor.ClassCPU, candor.ClassLLM}
	})
	f.log.wait(t, "DEBUG No suitable tasks")
	b.set(func() { b.report = &candor.Report{} })
	f.log.wait(t, "DEBUG Queue empty")
	b.result(t, b.add(spec(f.dir, run("true")), 3, ""))
	f.log.wait(t, "Completed")
	b.result(t, b.add(spec(f.dir, run("exit 1")), 4, ""))
	f.log.wait(t, "Failed")
	f.stop <- "TERM"
	if err := f.over(); err != nil {
		t.Fatal(err)
	}
	f.log.wait(t, "DEBUG Heartbeat sent - status: idle, idle: 0s")
	var got []string
	for _, line := range strings.Split(f.log.text(), "\n") {
		if strings.Contains(line, "Heartbeat sent") || strings.Contains(line, "of the PATH within") {
			continue // the reporter's and the look for programs: at any time
		}
		line = regexp.MustCompile(`(in|after) [0-9.]+m?s`).ReplaceAllString(line, "$1 T")
		line = regexp.MustCompile(`groups of their own; .*`).ReplaceAllString(line, "groups of their own; …")
		seen := false
		for _, old := range got { // repeats are folded by the log
			seen = seen || old == line
		}
		if !seen {
			got = append(got, line)
		}
	}
	golden(t, "testdata/seed_lines.golden", strings.Join(got, "\n")+"\n")
}

func TestALeaseFencedFromOutsideIsToldAsSuch(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	lease := b.add(spec(f.dir, run(`echo $$ > `+f.dir+`/pid; sleep 600`)), -1, "")
	appears(t, filepath.Join(f.dir, "pid"))
	swept := process.FenceLease(f.clock(), process.LeasePath(process.LeaseDir(f.dir, "worker-1"), lease), patience)
	if !swept.Clean() || len(swept.Killed) == 0 {
		t.Fatalf("swept %+v", swept)
	}
	r := b.result(t, lease)
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonFenced || r.Exit.Signal != "KILL (9)" {
		t.Errorf("result %+v", r)
	}
}

// What a supervisor takes for a dead worker's is told from a foreign kill, and
// costs the task no try.
func TestASweptAttemptIsHandedBack(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	lease := b.add(spec(f.dir, run(`echo $$ > `+f.dir+`/pid; sleep 600`)), -1, "")
	appears(t, filepath.Join(f.dir, "pid"))
	swept, unknown, err := process.KillLeasesOf(f.clock(), process.LeaseDir(f.dir, "worker-1"), process.Self(), "ended by mistake", patience)
	if err != nil || unknown != 0 || len(swept) != 1 || !swept[0].Clean() || len(swept[0].Killed) == 0 {
		t.Fatalf("swept %+v, %d unknown, %v", swept, unknown, err)
	}
	r := b.result(t, lease)
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonFenced || r.Reason.Text != "ended by mistake" {
		t.Errorf("result %+v, %+v", r, r.Reason)
	}
}

func TestUnsure(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{candor.Errorf(candor.CodeUnavailable, "reset"), true},
		{errors.New("odd"), true},
		{candor.Errorf(candor.CodeStoreFull, "full"), false},
		{dialError(), false},
	} {
		if got := unsure(c.err); got != c.want {
			t.Errorf("unsure(%v) = %v", c.err, got)
		}
	}
}
