//go:build ollama && linux

package ollama_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/realtest"
	"candor/internal/tinygguf"
)

// TestRealLife is what only a real Ollama, with processes and queues of its
// own, can show.
func TestRealLife(t *testing.T) {
	f := newFarm(t)
	for name, run := range map[string]func(*testing.T, farm){
		"a killed server's runner is ended by its supervisor":  runnerOfKilledServer,
		"a killed server's runner is found without supervisor": runnerOfKilledCandor,
		"a server that is told to stop leaves nothing":         stopLeavesNothing,
		"keep_alive is no pin":                                 keepAliveIsNoPin,
		"a full queue is busy":                                 fullQueue,
		"a dead model is listed until it is asked":             deadIsListed,
		"a file that was damaged is broken":                    damagedFile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

func load(t *testing.T, c *ollama.Client, model string) runtime.Change {
	t.Helper()
	change, err := c.Load(t.Context(), runtime.LoadRequest{Model: model, Settings: runtime.Settings{Context: 1024, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func runnerOfKilledServer(t *testing.T, f farm) {
	r := f.start(t, ollama.Serve{})
	load(t, r.client, "tiny")
	runner := r.runner(t)
	realtest.Signal(t, r.PID(), unix.SIGKILL)
	exit, err := r.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(exit.Stragglers, func(p process.Proc) bool { return p.PID == runner }) {
		t.Errorf("the runner %d is not among the stragglers %v", runner, exit.Stragglers)
	}
	if process.ProcState(runner).State.Alive() {
		t.Errorf("the runner %d lives", runner)
	}
}

// The supervisor died with its server; all that is left is the mark that the
// next start for the same card knows.
func runnerOfKilledCandor(t *testing.T, f farm) {
	s := ollama.Serve{Program: f.program, Models: f.models, Owner: t.TempDir(), Port: realtest.FreePort(t)}
	s.Base = []string{"HOME=" + s.Owner}
	cmd := exec.Command(s.Argv()[0], s.Argv()[1:]...)
	cmd.Env = append(s.Env(), s.Mark()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	began := time.Now()
	o := s.Options()
	o.Clock = clock.System()
	client := ollama.New(o)
	realtest.Until(t, "the server answers", func() bool {
		_, err := client.Identify(t.Context())
		return err == nil
	})
	load(t, client, "tiny")
	runners := realtest.Children(t, cmd.Process.Pid, "runner")
	realtest.Signal(t, cmd.Process.Pid, unix.SIGKILL)
	_ = cmd.Wait()
	if len(runners) != 1 || !process.ProcState(runners[0]).State.Alive() {
		t.Fatalf("no runner outlived its server: %v", runners)
	}
	left, err := process.KillRecorded(clock.System(), process.Intent(s.Mark(), s.Program, began), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(left.Killed) != 1 || left.Killed[0].PID != runners[0] || len(left.Survivors) != 0 {
		t.Errorf("killed %v, want runner %d; survivors %v", left.Killed, runners[0], left.Survivors)
	}
}

func stopLeavesNothing(t *testing.T, f farm) {
	r := f.start(t, ollama.Serve{})
	load(t, r.client, "tiny")
	runner := r.runner(t)
	r.Stop(t)
	exit, err := r.Wait(t.Context())
	if err != nil || len(exit.Stragglers) != 0 || process.ProcState(runner).State.Alive() {
		t.Errorf("%v, stragglers %v, %v", exit, exit.Stragglers, err)
	}
}

func keepAliveIsNoPin(t *testing.T, f farm) {
	r := f.start(t, ollama.Serve{MaxLoaded: 1})
	load(t, r.client, "tiny")
	if change := load(t, r.client, "other"); !slices.Equal(change.Evicted, []string{"tiny:latest"}) {
		t.Errorf("evicted %v", change.Evicted)
	}
}

func fullQueue(t *testing.T, f farm) {
	r := f.start(t, ollama.Serve{MaxQueue: 2})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const many = 12
	codes := make(chan runtime.Code, many)
	for range many {
		go func() {
			_, err := r.client.Generate(ctx, runtime.Request{
				Model: "endless", Settings: runtime.Settings{Context: 1024, Threads: 1}, MaxTokens: 20,
				Messages: []runtime.Message{{Role: "user", Text: "Hello"}},
			}, nil)
			codes <- runtime.CodeOf(err)
		}()
	}
	count := map[runtime.Code]int{}
	for range many {
		count[<-codes]++
	}
	if count[runtime.CodeBusy] == 0 || count[""] == 0 || count[runtime.CodeBusy]+count[""] != many {
		t.Errorf("codes %v, want some busy and the others well", count)
	}
}

func deadIsListed(t *testing.T, f farm) {
	r := f.start(t, ollama.Serve{})
	load(t, r.client, "tiny")
	s := r.subject(t)
	dead := r.runner(t)
	s.Faults.KillRunner(s.Models.Tiny)
	if all, err := r.client.Loaded(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("listed: %v, %v", all, err)
	}
	load(t, r.client, "tiny")
	if now := r.runner(t); now == dead {
		t.Errorf("runner %d answers after its death", now)
	}
}

// The list of models says nothing of their files.
func damagedFile(t *testing.T, f farm) {
	f.models = t.TempDir()
	r := f.start(t, ollama.Serve{})
	for name, damage := range map[string]func(path string) error{
		"cut":     func(path string) error { return os.Truncate(path, 300_000) },
		"deleted": os.Remove,
	} {
		p := tinygguf.Tiny(name)
		p.Seed = uint64(len(name)) // a content of its own
		if err := damage(r.create(t, p)); err != nil {
			t.Fatal(err)
		}
		_, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: name, Settings: runtime.Settings{Context: 1024, Threads: 1}})
		if runtime.CodeOf(err) != runtime.CodeBroken {
			t.Errorf("%s: %v (code %q)", name, err, runtime.CodeOf(err))
		}
	}
}
