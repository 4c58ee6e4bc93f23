//go:build linux || darwin

package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

type wallClock struct{}

func (wallClock) Now() time.Time                                  { return time.Now() }
func (wallClock) After(d time.Duration) <-chan time.Time          { return time.After(d) }
func (wallClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// patience bounds every wait of these tests; nothing normal comes near it.
const patience = 60 * time.Second

// until polls for something that another process does.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func part(t *testing.T, name string, env ...string) Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return Spec{
		Argv: []string{self}, Dir: dir, Log: filepath.Join(t.TempDir(), "log"),
		Env:   append([]string{"CHILD=" + name}, env...),
		Mark:  []string{EnvLease + "=7", "CANDOR_TASK_ID=" + dir},
		Drain: 200 * time.Millisecond,
	}
}

func start(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Start(wallClock{}, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r := p.Terminate(context.Background(), 0); len(r.Survivors) > 0 {
			t.Errorf("survivors after the test: %v", r.Survivors)
		}
	})
	return p
}

func startReady(t *testing.T, spec Spec) *Process {
	t.Helper()
	p := start(t, spec)
	until(t, "the child to say ready", func() bool { return strings.Contains(p.Tail(), "ready") })
	return p
}

func wait(t *testing.T, p *Process) Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	e, err := p.Wait(ctx)
	if err != nil {
		t.Fatalf("process did not end: %v; output %q", err, p.Tail())
	}
	return e
}

// leftPID reads the grandchild's number from the output.
func leftPID(t *testing.T, p *Process) int {
	t.Helper()
	re := regexp.MustCompile(`left (\d+)`)
	until(t, "the grandchild", func() bool { return re.MatchString(p.Tail()) })
	pid, err := strconv.Atoi(re.FindStringSubmatch(p.Tail())[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func assertEnded(t *testing.T, pid int) {
	t.Helper()
	if s := ProcState(pid).State; s.Alive() {
		t.Errorf("process %d is %s, want it ended", pid, s)
	}
}

func TestChildGetsExactlyItsEnvironment(t *testing.T) {
	spec := part(t, "env", "GREETING=two words")
	spec.ProgressFile = "/dev/null"
	p := start(t, spec)
	if e := wait(t, p); !e.OK() {
		t.Fatalf("ended with %v", e)
	}
	dir, err := filepath.EvalSymlinks(spec.Dir)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("CHILD=env\nGREETING=two words\n%s\n%s\n%s=/dev/null\nwd %s\nstdin 0 EOF\n",
		spec.Mark[0], spec.Mark[1], EnvProgressFile, dir)
	if got := p.Tail(); got != want {
		t.Errorf("child saw\n%s\nwant\n%s", got, want)
	}
}

func TestExitCodesAndSignals(t *testing.T) {
	cases := []struct {
		part, n string
		text    string
		code    int
		signal  int
		ok      bool
	}{
		{part: "exit", n: "0", text: "exit 0", ok: true},
		{part: "exit", n: "75", text: "exit 75", code: 75},
		{part: "kill-self", text: "signal: KILL (9)", code: -1, signal: 9},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			e := wait(t, start(t, part(t, c.part, "N="+c.n)))
			if e.Code != c.code || e.Signal != c.signal || e.OK() != c.ok {
				t.Errorf("ended with %+v", e)
			}
			if !strings.HasPrefix(e.String(), c.text) {
				t.Errorf("String() = %q, want %q…", e, c.text)
			}
			if c.signal != 0 && (e.Cause == CauseOurs || e.Cause == CauseNone || e.Evidence == "") {
				t.Errorf("cause %q, evidence %q of a KILL that was not ours", e.Cause, e.Evidence)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	cases := map[string]func(*Spec){
		"no command":       func(s *Spec) { s.Argv = nil },
		"unknown program":  func(s *Spec) { s.Argv = []string{"no-such-program"}; s.Env = []string{"PATH=/bin"} },
		"missing folder":   func(s *Spec) { s.Dir = filepath.Join(s.Dir, "missing") },
		"senseless mark":   func(s *Spec) { s.Mark = []string{""} },
		"log in no folder": func(s *Spec) { s.Log = filepath.Join(s.Dir, "missing", "log") },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			spec := part(t, "exit")
			spoil(&spec)
			if p, err := Start(wallClock{}, spec); err == nil {
				wait(t, p)
				t.Error("it was started")
			}
		})
	}
}

func TestCommandIsFoundInTheChildsPath(t *testing.T) {
	spec := part(t, "exit")
	spec.Argv = []string{"sh", "-c", "echo $0 $1", "a b", "$(c)"}
	spec.Env = []string{"PATH=/nowhere:/bin:/usr/bin"}
	p := start(t, spec)
	if e := wait(t, p); !e.OK() || p.Tail() != "a b $(c)\n" {
		t.Errorf("%v, output %q", e, p.Tail())
	}
}

func TestGrandchildThatHoldsTheOutputDoesNotHangTheAttempt(t *testing.T) {
	p := start(t, part(t, "leave-behind"))
	e := wait(t, p)
	pid := leftPID(t, p)
	assertEnded(t, pid)
	if len(e.Stragglers) != 1 || e.Stragglers[0].PID != pid || len(e.Survivors) != 0 || e.PipeHeld {
		t.Errorf("exit %+v, want straggler %d", e, pid)
	}
	if e.Code != 0 || e.Cause != CauseNone {
		t.Errorf("%v, want the main process's own exit", e)
	}
}

func TestTerminateEndsAllOfIt(t *testing.T) {
	cases := []struct {
		part  string
		grace time.Duration
		kill  bool
		code  int
		tail  string
	}{
		{part: "obey-term", grace: patience, code: 3, tail: "bye\n"},
		{part: "stop-obey-term", grace: patience, tail: "bye\n"},
		{part: "ignore-term", grace: 100 * time.Millisecond, kill: true, code: -1},
		{part: "stop", grace: patience, code: -1},
		{part: "spin", grace: patience, code: -1},
	}
	for _, c := range cases {
		t.Run(c.part, func(t *testing.T) {
			p := startReady(t, part(t, c.part))
			r := p.Terminate(t.Context(), c.grace)
			if !r.TermSent || r.KillSent != c.kill || len(r.Survivors) != 0 {
				t.Errorf("report %+v", r)
			}
			e := wait(t, p)
			if e.Cause != CauseOurs || e.Code != c.code || !strings.HasSuffix(p.Tail(), c.tail) {
				t.Errorf("exit %+v, tail %q", e, p.Tail())
			}
			assertEnded(t, p.PID())
			if again := p.Terminate(t.Context(), c.grace); again.TermSent || again.KillSent {
				t.Errorf("second Terminate: %+v", again)
			}
		})
	}
}

func TestTerminateReachesWhoLeftTheSession(t *testing.T) {
	p := start(t, part(t, "family"))
	pid := leftPID(t, p)
	if r := p.Terminate(t.Context(), patience); len(r.Survivors) != 0 || r.KillSent {
		t.Errorf("report %+v, want TERM to have sufficed", r)
	}
	assertEnded(t, pid)
}

func TestTheEndOfTheContextCutsTheGraceShort(t *testing.T) {
	p := startReady(t, part(t, "ignore-term"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := p.Terminate(ctx, time.Hour); !r.KillSent || len(r.Survivors) != 0 {
		t.Errorf("report %+v", r)
	}
}

func TestTerminateFromManySides(t *testing.T) {
	p := startReady(t, part(t, "ignore-term"))
	reports := make(chan Report)
	for range 4 {
		go func() { reports <- p.Terminate(context.Background(), 50*time.Millisecond) }()
	}
	for range 4 {
		if r := <-reports; len(r.Survivors) != 0 {
			t.Errorf("report %+v", r)
		}
	}
	wait(t, p)
}

func TestProcStateTellsStoppedFromGone(t *testing.T) {
	p := start(t, part(t, "stop"))
	until(t, "the child to stop", func() bool { return ProcState(p.PID()).State == Stopped })
	stopped := ProcState(p.PID())
	if stopped.Start == 0 || stopped.PPID != os.Getpid() || stopped.Comm == "" {
		t.Errorf("state %+v", stopped)
	}
	p.Terminate(t.Context(), 0)
	if s := ProcState(p.PID()); s.State != Gone {
		t.Errorf("after its end it is %s", s.State)
	}
}

// TestTerminateTellsWhoLeadsAlone: what it has started and shares its group with,
// as what it has just forked does, is its own to end.
func TestTerminateTellsWhoLeadsAlone(t *testing.T) {
	for name, leads := range map[string]bool{"alone": true, "all": false} {
		t.Run(name, func(t *testing.T) {
			p := startReady(t, Spec{
				// The child says whether it was told, and ends when its parent has; once
				// it is ready both have their traps.
				Argv: []string{"/bin/sh", "-c", `trap 'touch over; exit 0' TERM; (trap 'echo told' TERM; echo ready; while [ ! -e over ]; do sleep 0.05; done) & while :; do wait; done`},
				Dir:  t.TempDir(), Env: os.Environ(), Leads: leads, Drain: 10 * time.Second,
			})
			if r := p.Terminate(t.Context(), 20*time.Second); r.KillSent || !r.TermSent {
				t.Errorf("%+v", r)
			}
			if e := wait(t, p); e.Code != 0 {
				t.Errorf("%+v", e)
			}
			if told := strings.Contains(p.Tail(), "told"); told == leads {
				t.Errorf("leads: %v, the child was told: %v: %q", leads, told, p.Tail())
			}
		})
	}
}
