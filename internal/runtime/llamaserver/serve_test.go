package llamaserver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor/internal/clock"
	"candor/internal/runtime"
)

const card = "GPU-8c2f6a10-1111-2222-3333-444455556666"

func TestServe(t *testing.T) {
	s := Serve{
		Program: "/opt/llama-server", Port: 11501, GPU: card, Models: "/models", Dir: "/state/llama", Owner: "/state/worker-1", Parallel: 4, MaxLoaded: 2,
		Base: []string{"PATH=/bin", "LLAMA_ARG_CTX_SIZE=512", "LLAMA_API_KEY=secret", "LLAMA_ARG_FLASH_ATTN=on", "CANDOR_TOKEN_FILE=/secret"},
	}
	want := []string{
		"/opt/llama-server", "--host", "127.0.0.1", "--port", "11501", "--parallel", "4", "--no-kv-unified", "--cache-ram", "0",
		"--offline", "--no-webui", "--log-colors", "off",
		"--models-dir", "/models", "--models-preset", "/state/llama/models.ini", "--models-max", "2", "--no-models-autoload",
	}
	if diff := cmp.Diff(want, s.Argv()); diff != "" {
		t.Error(diff)
	}
	env := []string{
		"PATH=/bin", "LLAMA_ARG_FLASH_ATTN=on",
		"CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=" + card, "ROCR_VISIBLE_DEVICES=-1", "GGML_VK_VISIBLE_DEVICES=-1",
	}
	if diff := cmp.Diff(env, s.Env()); diff != "" {
		t.Error(diff)
	}
	o := s.Options()
	if o.URL != "http://127.0.0.1:11501" || o.Managed.Dir != s.Dir || o.Managed.Parallel != 4 {
		t.Errorf("%+v", o)
	}
	if got := s.Mark(); !slices.Equal(got, []string{"CANDOR_MODEL_SERVER=" + card + "@/state/worker-1"}) {
		t.Errorf("mark %v", got)
	}
}

func TestServeOneModel(t *testing.T) {
	s := Serve{Program: "llama-server", File: "/models/a.gguf", Context: 100, Parallel: 2, Vectors: map[string]string{"/models/a.gguf": "mean"}}
	line := strings.Join(s.Argv(), " ")
	for _, part := range []string{"--model /models/a.gguf --alias a --ctx-size 200", "--embeddings --pooling mean --batch-size 100"} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is not in %s", part, line)
		}
	}
	if strings.Contains(line, "--models") || s.Options().Managed != nil || s.Prepare() != nil {
		t.Errorf("a router: %s", line)
	}
}

// What a model is loaded with, as the router reads it.
func TestPreset(t *testing.T) {
	s := Serve{Dir: filepath.Join(t.TempDir(), "llama"), Parallel: 2, Vectors: map[string]string{"vec:latest": "mean"}}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	o := s.Options()
	o.Clock = clock.System()
	c := New(o)
	defer c.Close()
	none := 0
	text := c.section("a/b", "", runtime.Settings{Context: 1024, Layers: &none, Threads: 3}, true)
	vector := c.section("vec", "", runtime.Settings{Context: 500}, true)
	if err := writePreset(s.Dir, map[string]string{"vec": vector, "a/b": text}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(s.Dir, presetName))
	if err != nil {
		t.Fatal(err)
	}
	want := `version = 1

[a/b]
ctx-size = 2048
n-gpu-layers = 0
threads = 3
log-file = ` + s.Dir + `/logs/a%2Fb.log
verbosity = 4

[vec]
ctx-size = 1024
n-gpu-layers = all
fit = off
embeddings = true
batch-size = 512
ubatch-size = 512
pooling = mean
log-file = ` + s.Dir + `/logs/vec.log
verbosity = 4
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	for name, ok := range map[string]bool{"Qwen3-8B Q4.gguf": true, "a/b:c": true, "*": false, "a]\n[b": false, "a;b": false, "a#b": false} {
		if writable(name) != ok {
			t.Errorf("%q: %v", name, !ok)
		}
	}
}
