//go:build ollama && linux

package modelhost_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/realtest"
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

// real are options for a managed Ollama on the CPU, with little patience.
func real(t *testing.T) modelhost.Options {
	dir := t.TempDir()
	serve := ollama.Serve{
		Program: program(t), Models: filepath.Join(dir, "models"), Owner: dir,
		Base: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, Parallel: 2,
	}
	return modelhost.Options{
		Name: "worker-1", Kind: runtime.Ollama, Clock: clock.System(), Dir: dir, LogFile: filepath.Join(dir, "serve.log"),
		Slots: 2, Context: 1024, Threads: 1, Launch: modelhost.LaunchOllama(serve, clock.System()),
		Poll: 200 * time.Millisecond, TokenPatience: 4 * time.Second, AnswerPatience: 6 * time.Second, Fresh: 5 * time.Second,
		Restart: modelhost.Restart{Most: 9, Within: time.Hour, First: 50 * time.Millisecond, Longest: time.Second},
	}
}

// create gives the running server a model of random weights that never ends.
func create(t *testing.T, h *running, name string) {
	t.Helper()
	url := h.until("up", up).URL
	var file bytes.Buffer
	p := tinygguf.Tiny(name).Endless()
	p.Layers, p.Dim, p.Heads, p.KVHeads, p.FeedForward = 4, 256, 4, 4, 1024
	if err := tinygguf.Write(&file, p); err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(file.Bytes()))
	post(t, url+"/api/blobs/"+digest, "application/octet-stream", file.Bytes())
	body, err := json.Marshal(map[string]any{
		"model": name, "stream": false, "files": map[string]string{name + ".gguf": digest}, "parameters": map[string]any{"num_thread": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	post(t, url+"/api/create", "application/json", body)
}

func post(t *testing.T, url, kind string, content []byte) {
	t.Helper()
	resp, err := http.Post(url, kind, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
		t.Fatalf("%s: status %d: %s", url, resp.StatusCode, text)
	}
}

// runner is the process that holds the model: marked, and not the server.
func runner(t *testing.T, o modelhost.Options) int {
	t.Helper()
	server := serverPID(t, o)
	for _, pid := range marked(t, o) {
		if pid != server {
			return pid
		}
	}
	t.Fatal("there is no runner")
	return 0
}

// TestRealOllama is a managed Ollama from its start through its worst days.
func TestRealOllama(t *testing.T) {
	o := real(t)
	h := run(t, o)
	create(t, h, "tiny")
	if r := h.load("tiny"); !r.Changed || r.After[0].Context != 1024 || !r.After[0].Ready {
		t.Fatalf("%+v", r)
	}

	t.Run("a killed server leaves no runner", func(t *testing.T) {
		restarts, orphan := h.Serving().Restarts, runner(t, o)
		ended := answering(t, h)
		kill(t, serverPID(t, o), syscall.SIGKILL)
		wantCode(t, <-ended, runtime.CodeGone)
		s := h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == restarts+1 })
		if len(s.Models) != 0 || process.ProcState(orphan).State.Alive() {
			t.Errorf("%+v; runner %d is %s", s.Models, orphan, process.ProcState(orphan).State)
		}
		h.load("tiny")
	})
	t.Run("a frozen runner is a hung server", func(t *testing.T) {
		restarts, frozen := h.Serving().Restarts, runner(t, o)
		ended := answering(t, h)
		kill(t, frozen, syscall.SIGSTOP)
		wantCode(t, <-ended, runtime.CodeHung, "though its API answers")
		h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == restarts+1 })
		if process.ProcState(frozen).State.Alive() {
			t.Errorf("runner %d lives", frozen)
		}
		h.load("tiny")
	})
	t.Run("a frozen server is ended", func(t *testing.T) {
		restarts, frozen := h.Serving().Restarts, serverPID(t, o)
		ended := answering(t, h)
		kill(t, frozen, syscall.SIGSTOP)
		wantCode(t, <-ended, runtime.CodeHung)
		h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == restarts+1 })
		h.load("tiny")
	})
	t.Run("a runner that died idle is found", func(t *testing.T) {
		dead := runner(t, o)
		realtest.Kill(t, dead)
		killed := time.Now()
		// Listed all the while; the next token it is asked for brings it back.
		h.until("asked for a token", func(s candor.Serving) bool {
			m := find(s.Models, "tiny")
			return m != nil && m.Ready && m.Token.D() < time.Since(killed) && len(marked(t, o)) == 2
		})
		if now := runner(t, o); now == dead {
			t.Errorf("runner %d", now)
		}
	})
	t.Run("a model that cannot be had", func(t *testing.T) {
		_, err := h.Do(t.Context(), candor.Order{Kind: candor.OrderPull, Model: "candor.invalid/nobody/nothing"}, nil)
		wantCode(t, err, runtime.CodeMissing)
	})
	h.stop()
	if left := marked(t, o); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
