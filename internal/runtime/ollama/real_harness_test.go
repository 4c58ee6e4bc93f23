//go:build ollama && linux

package ollama_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/runtimetest"
	"candor/internal/tinygguf"
)

// program finds Ollama: the one that is named, the one on PATH, or the newest
// that scripts/install-ollama.sh left in the cache.
func program(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CANDOR_OLLAMA"); named != "" {
		return named
	}
	if found, err := exec.LookPath("ollama"); err == nil {
		return found
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	found, err := filepath.Glob(filepath.Join(cache, "candor-tools", "ollama-*", "ollama"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no ollama in $CANDOR_OLLAMA, on PATH or in %s: scripts/install-ollama.sh builds one", cache)
	}
	return found[len(found)-1]
}

// farm is what real servers share: the program and a folder of models.
type farm struct {
	program string
	models  string
}

// real is one running `ollama serve`.
type real struct {
	serve  ollama.Serve
	proc   *process.Process
	client *ollama.Client
}

// newFarm makes the models once; the servers only read them.
func newFarm(t *testing.T) farm {
	t.Helper()
	f := farm{program: program(t), models: t.TempDir()}
	r := f.start(t, ollama.Serve{})
	endless := tinygguf.Tiny("endless").Endless()
	endless.Layers, endless.Dim, endless.Heads, endless.KVHeads, endless.FeedForward, endless.Seed = 6, 384, 6, 6, 1536, 2
	other, stutter, huge, broken := tinygguf.Tiny("other"), tinygguf.Tiny("stutter").Endless(), tinygguf.Tiny("huge").Huge(), tinygguf.Tiny("broken")
	other.Seed, stutter.Stutter, huge.Seed, broken.Omit = 3, true, 4, "blk.0.attn_q.weight"
	for _, p := range []tinygguf.Params{tinygguf.Tiny("tiny"), other, endless, stutter, huge, broken} {
		r.create(t, p)
	}
	r.stop(t)
	return f
}

// start starts a server on a free port, waits until it answers, and ends it
// with the test.
func (f farm) start(t *testing.T, s ollama.Serve) *real {
	t.Helper()
	home := t.TempDir()
	s.Program, s.Models, s.Owner, s.Port = f.program, f.models, home, freePort(t)
	s.Base = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	proc, err := process.Start(clock.System(), process.Spec{
		Argv: s.Argv(), Env: s.Env(), Mark: s.Mark(), Dir: home, Log: filepath.Join(home, "serve.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	o := s.Options()
	o.Clock = clock.System()
	r := &real{serve: s, proc: proc, client: ollama.New(o)}
	t.Cleanup(func() {
		r.stop(t)
		if t.Failed() {
			t.Logf("the server's last words:\n%s", proc.Tail())
		}
	})
	until(t, "the server answers", func() bool {
		_, err := r.client.Identify(t.Context())
		return err == nil
	})
	return r
}

// freePort is a port that nobody listened on just now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (r *real) stop(t *testing.T) {
	if report := r.proc.Terminate(t.Context(), 10*time.Second); len(report.Survivors) > 0 {
		t.Errorf("the server left %v", report.Survivors)
	}
	r.client.Close()
}

// create uploads a model's file, gives it a name, with a load-time default of
// one thread (more of them spin against each other), and returns where the
// server keeps it.
func (r *real) create(t *testing.T, p tinygguf.Params) string {
	t.Helper()
	var file bytes.Buffer
	if err := tinygguf.Write(&file, p); err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(file.Bytes()))
	r.post(t, "/api/blobs/"+digest, "application/octet-stream", file.Bytes(), http.StatusCreated)
	body, err := json.Marshal(map[string]any{
		"model": p.Name, "stream": false, "files": map[string]string{p.Name + ".gguf": digest},
		"parameters": map[string]any{"num_thread": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.post(t, "/api/create", "application/json", body, http.StatusOK)
	return filepath.Join(r.serve.Models, "blobs", strings.ReplaceAll(digest, ":", "-"))
}

func (r *real) post(t *testing.T, path, kind string, body []byte, want int) {
	t.Helper()
	resp, err := http.Post(r.serve.URL()+path, kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Fatalf("%s: status %d, want %d", path, resp.StatusCode, want)
	}
}

// subject is the server as the suite wants it.
func (r *real) subject(t *testing.T) runtimetest.Subject {
	return runtimetest.Subject{
		Server:   r.client,
		Settings: runtime.Settings{Context: 1024, Threads: 1},
		Models: runtimetest.Models{
			Tiny: "tiny:latest", Other: "other:latest", Endless: "endless:latest",
			Vector: "tiny:latest", Stutter: "stutter:latest", Huge: "huge:latest", Broken: "broken:latest",
		},
		Faults: runtimetest.Faults{
			Kill:   func() { signal(t, r.proc.PID(), unix.SIGKILL) },
			Freeze: func() func() { return freeze(t, r.proc.PID()) },
			KillRunner: func(string) {
				pid := r.runner(t)
				signal(t, pid, unix.SIGKILL)
				until(t, "the runner is dead", func() bool { return !process.ProcState(pid).State.Alive() })
			},
			FreezeRunner: func(string) func() { return freeze(t, r.runner(t)) },
		},
	}
}

// runner is the process that holds the one loaded model.
func (r *real) runner(t *testing.T) int {
	t.Helper()
	pids := children(t, r.proc.PID())
	if len(pids) != 1 {
		t.Fatalf("%d runners, want one", len(pids))
	}
	return pids[0]
}

// children lists the living processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p := process.ProcState(pid); p.PPID == parent && p.State.Alive() && strings.HasPrefix(p.Comm, "ollama") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func signal(t *testing.T, pid int, sig unix.Signal) {
	t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		t.Fatalf("signal %d to %d: %v", sig, pid, err)
	}
}

// freeze stops a process; what it returns lets it go on, and may be called twice.
func freeze(t *testing.T, pid int) func() {
	t.Helper()
	signal(t, pid, unix.SIGSTOP)
	until(t, "the process is stopped", func() bool { return process.ProcState(pid).State == process.Stopped })
	thaw := func() { _ = unix.Kill(pid, unix.SIGCONT) } // it may be gone by now
	t.Cleanup(thaw)
	return thaw
}

// until waits for a child process to show something.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited a minute: %s", what)
		}
	}
}
