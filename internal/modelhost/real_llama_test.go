//go:build llamaserver && linux

package modelhost_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/runtime"
	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/realtest"
	"candor/internal/tinygguf"
)

// TestRealLlamaServer is a managed router from its start through its worst
// days.
func TestRealLlamaServer(t *testing.T) {
	dir, endless := t.TempDir(), tinygguf.Tiny("tiny").Endless()
	endless.Layers, endless.Dim, endless.Heads, endless.KVHeads, endless.FeedForward = 4, 256, 4, 4, 1024
	other := tinygguf.Tiny("other")
	other.Seed = 3
	launch, err := modelhost.LaunchLlamaServer(llamaserver.Serve{
		Program: realtest.Find(t, "CANDOR_LLAMA_SERVER", "llama-server", "scripts/install-llama-server.sh"),
		Models:  realtest.Folder(t, endless, other), Dir: filepath.Join(dir, "llama-server"), Owner: dir, Parallel: 2,
		Base: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")},
	}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	o := modelhost.Options{
		Name: "worker-1", Kind: runtime.LlamaServer, Clock: clock.System(), Dir: dir, LogFile: filepath.Join(dir, "serve.log"),
		Slots: 2, Context: 1024, Threads: 1, Launch: launch,
		Poll: 200 * time.Millisecond, TokenPatience: 4 * time.Second, AnswerPatience: 6 * time.Second, Fresh: 5 * time.Second,
		Restart: modelhost.Restart{Most: 9, Within: time.Hour, First: 50 * time.Millisecond, Longest: time.Second},
	}
	h := run(t, o)
	h.until("up", up)
	if r := h.load("tiny"); !r.Changed || r.After[0].Context != 1024 || !r.After[0].Ready {
		t.Fatalf("%+v", r)
	}
	h.load("other")
	child := func() int { return realtest.Child(t, serverPID(t, o), "--alias tiny ") }

	t.Run("a model's process that died in mid-answer", func(t *testing.T) {
		restarts, ended, dead := h.Serving().Restarts, answering(t, h), child()
		kill(t, dead, syscall.SIGKILL)
		wantCode(t, <-ended, runtime.CodeRunnerGone)
		// Which it is depends on who is faster: the router, to notice the death,
		// or the host, to ask the doubted model for a token, which brings it back.
		h.until("the model is gone or has a new process, the other is as it was", func(s candor.Serving) bool {
			tiny := find(s.Models, "tiny")
			back := tiny != nil && tiny.Ready && !slices.Contains(realtest.Children(t, serverPID(t, o), "--alias tiny "), dead)
			return up(s) && s.Restarts == restarts && (tiny == nil || back) && find(s.Models, "other") != nil
		})
		h.load("tiny")
	})
	t.Run("a killed router leaves nothing", func(t *testing.T) {
		restarts, ended := h.Serving().Restarts, answering(t, h)
		kill(t, serverPID(t, o), syscall.SIGKILL)
		wantCode(t, <-ended, runtime.CodeGone)
		s := h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == restarts+1 })
		if len(s.Models) != 0 || len(marked(t, o)) != 1 {
			t.Errorf("%+v; processes %v", s.Models, marked(t, o))
		}
		h.load("tiny")
	})
	t.Run("a frozen model is a hung server", func(t *testing.T) {
		restarts, ended := h.Serving().Restarts, answering(t, h)
		kill(t, child(), syscall.SIGSTOP)
		wantCode(t, <-ended, runtime.CodeHung, "though its API answers")
		h.until("up again", func(s candor.Serving) bool { return up(s) && s.Restarts == restarts+1 })
		h.load("tiny")
	})
	t.Run("unload", func(t *testing.T) {
		r, err := h.Do(t.Context(), candor.Order{Kind: candor.OrderUnload, Model: "tiny"}, nil)
		if err != nil || !r.Changed || len(r.After) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	h.stop()
	if left := marked(t, o); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
