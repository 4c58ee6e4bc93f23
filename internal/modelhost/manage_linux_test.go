package modelhost_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/process"
	"candor/internal/runtime"
)

// marked are the living processes that carry a mark, by number.
func marked(t *testing.T, o modelhost.Options) []int {
	t.Helper()
	mark := o.Launch(1).Mark[0]
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !process.ProcState(pid).State.Alive() {
			continue
		}
		if env, err := os.ReadFile("/proc/" + e.Name() + "/environ"); err == nil && bytes.Contains(env, []byte(mark+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// serverPID is the recorded main process.
func serverPID(t *testing.T, o modelhost.Options) int {
	t.Helper()
	r, err := process.ReadRecord(filepath.Join(o.Dir, "model-server.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r.PID
}

func TestAManagedServerIsStartedAndEnded(t *testing.T) {
	o := managed(t)
	h := run(t, o)
	s := h.until("up", up)
	if !s.Managed || !s.Simulated || s.Restarts != 0 || s.Kind != "ollama" || !strings.HasPrefix(s.URL, "http://127.0.0.1:") {
		t.Errorf("%+v", s)
	}
	if r := h.load("alpha"); !r.Changed {
		t.Errorf("%+v", r)
	}
	if n := len(marked(t, o)); n != 2 {
		t.Errorf("%d processes, want server and runner", n)
	}
	h.stop()
	if left := marked(t, o); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "model-server.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record stays: %v", err)
	}
	if text, err := os.ReadFile(o.LogFile); err != nil || !strings.Contains(string(text), "answers at "+s.URL) {
		t.Errorf("%q, %v", text, err)
	}
}

// F28: a crash in mid-request.
func TestACrashedServerIsStartedAgainAndLoadsNothing(t *testing.T) {
	o := managed(t)
	h := run(t, o)
	h.load("alpha")
	loan, err := h.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := ask(t.Context(), loan, 4000)
		loan.Return(modelhost.Faulted)
		ended <- err
	}()
	h.until("in use", func(s candor.Serving) bool {
		return s.Models[0].InUse == 1 && s.Models[0].Token.D() < 100*time.Millisecond
	})
	runners := marked(t, o)
	if err := syscall.Kill(serverPID(t, o), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-ended, runtime.CodeGone)
	s := h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == 1 })
	if len(s.Models) != 0 {
		t.Errorf("loaded by itself: %+v", s.Models)
	}
	for _, pid := range runners {
		if process.ProcState(pid).State.Alive() {
			t.Errorf("process %d of the former server lives", pid)
		}
	}
	h.load("alpha")
}

// F27: green, and no token comes.
func TestAHungServerIsEndedAndStartedAgain(t *testing.T) {
	o := managed(t)
	h := run(t, o)
	h.load("alpha")
	before := serverPID(t, o)
	order(t, h, `{"kind":"hang","after":3}`)
	loan, err := h.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ask(t.Context(), loan, 4000)
	loan.Return(modelhost.Faulted)
	wantCode(t, err, runtime.CodeHung, "has not produced a token for", "though its API answers; 1 request waits")
	h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == 1 && len(s.Models) == 0 })
	if process.ProcState(before).State.Alive() {
		t.Error("the hung server lives")
	}
}

// order has the simulated server misbehave.
func order(t *testing.T, h *running, fault string) {
	t.Helper()
	resp, err := http.Post(h.Serving().URL+"/simulated/faults", "application/json", strings.NewReader(fault))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d", resp.StatusCode)
	}
}

func TestAFrozenProcessIsEndedAndStartedAgain(t *testing.T) {
	o := managed(t)
	h := run(t, o)
	h.load("alpha")
	frozen := serverPID(t, o)
	if err := syscall.Kill(frozen, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == 1 })
	if process.ProcState(frozen).State.Alive() {
		t.Error("the frozen server lives")
	}
}

func TestAServerThatFallsTooOftenIsLeftAlone(t *testing.T) {
	o := managed(t)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.Launch = launch(o.Dir, "crash")
	h := run(t, o)
	out := func(s candor.Serving) bool { return s.State == candor.ServerOut }
	s := h.until("out of service", out)
	for _, want := range []string{"3 restarts in 1h", "exit 3", "no such card"} {
		if !strings.Contains(s.Text, want) {
			t.Errorf("%q lacks %q", s.Text, want)
		}
	}
	if s.Restarts != 3 || s.Take != 0 {
		t.Errorf("%+v", s)
	}
	_, err := h.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
	wantCode(t, err, runtime.CodeGone, "the model server is out")
	// An order that comes then has it tried again.
	_, err = h.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
	wantCode(t, err, runtime.CodeGone, "the model server is", "ended (exit 3), its last words: no such card")
	h.until("tried again", func(s candor.Serving) bool { return s.Restarts == 6 && out(s) })
	h.stop()
	if strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "model_server.state") {
		t.Errorf("log: %s", log.String())
	}
}

// The worker was killed: its server and runners are found by record and mark.
func TestWhatAKilledWorkerLeftIsEnded(t *testing.T) {
	o := managed(t)
	left, err := process.Start(clock.System(), process.Spec{
		Argv: []string{os.Args[0]}, Env: append(os.Environ(), envRole+"=runner"), Mark: o.Launch(1).Mark, Dir: o.Dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := process.WriteRecord(filepath.Join(o.Dir, "model-server.json"), left.Record()); err != nil {
		t.Fatal(err)
	}
	h := run(t, o)
	h.until("up", up)
	if process.ProcState(left.PID()).State.Alive() {
		t.Error("what was left lives")
	}
	if n := len(marked(t, o)); n != 2 {
		t.Errorf("%d processes", n)
	}
}

func TestATakenPortIsLeftToItsHolder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := managed(t)
	o.Port = l.Addr().(*net.TCPAddr).Port
	h := run(t, o)
	if s := h.until("up", up); strings.HasSuffix(s.URL, ":"+strconv.Itoa(o.Port)) {
		t.Errorf("%+v", s)
	}
}

func TestWhatWasLearntOutlivesTheWorker(t *testing.T) {
	o := managed(t)
	h := run(t, o)
	h.load("alpha")
	loan, err := h.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t.Context(), loan, 20); err != nil {
		t.Fatal(err)
	}
	loan.Return(modelhost.Served)
	h.stop()
	h = run(t, o)
	h.load("alpha")
	if m := h.Serving().Models[0]; m.Rate < 50 || m.Rate > 400 {
		t.Errorf("%+v", m)
	}
}
