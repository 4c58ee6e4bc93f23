package ollama

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor/internal/runtime"
)

const card = "GPU-8c2f6a10-1111-2222-3333-444455556666"

func TestServe(t *testing.T) {
	s := Serve{
		Program: "/opt/ollama", Port: 11501, GPU: card, Models: "/models", Owner: "/state/worker-1",
		Context: 8192, Parallel: 4, MaxLoaded: 2,
		Base: []string{
			"PATH=/bin", "HOME=/home", "OLLAMA_FLASH_ATTENTION=1",
			"OLLAMA_HOST=0.0.0.0", "CUDA_VISIBLE_DEVICES=0", "CANDOR_TOKEN_FILE=/secret", "NOTIFY_SOCKET=/run/n", "HIP_VISIBLE_DEVICES=1",
		},
	}
	want := []string{
		"PATH=/bin", "HOME=/home", "OLLAMA_FLASH_ATTENTION=1",
		"OLLAMA_HOST=127.0.0.1:11501", "OLLAMA_KEEP_ALIVE=-1", "OLLAMA_NUM_PARALLEL=4", "OLLAMA_MAX_QUEUE=512",
		"OLLAMA_NO_CLOUD=1", "OLLAMA_NOPRUNE=1",
		"CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=" + card, "ROCR_VISIBLE_DEVICES=-1", "GGML_VK_VISIBLE_DEVICES=-1",
		"OLLAMA_CONTEXT_LENGTH=8192", "OLLAMA_MAX_LOADED_MODELS=2", "OLLAMA_MODELS=/models",
	}
	if diff := cmp.Diff(want, s.Env()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/opt/ollama", "serve"}, s.Argv()); diff != "" {
		t.Error(diff)
	}
	if got, want := s.URL(), "http://127.0.0.1:11501"; got != want || s.Options().URL != want || s.Options().Slots != 4 {
		t.Errorf("%s, %+v", got, s.Options())
	}
	if got := s.Mark(); len(got) != 1 || got[0] != "CANDOR_MODEL_SERVER="+card+"@/state/worker-1" {
		t.Errorf("mark %v", got)
	}
}

func TestServeHidesOtherCards(t *testing.T) {
	for name, c := range map[string]struct {
		serve      Serve
		cuda, rocm string
	}{
		"NVIDIA":  {Serve{GPU: card}, card, "-1"},
		"AMD":     {Serve{GPU: card, AMD: true}, "-1", card},
		"no card": {Serve{}, "-1", "-1"},
	} {
		env := c.serve.Env()
		if !slices.Contains(env, "CUDA_VISIBLE_DEVICES="+c.cuda) || !slices.Contains(env, "ROCR_VISIBLE_DEVICES="+c.rocm) {
			t.Errorf("%s: %s", name, strings.Join(env, " "))
		}
	}
}

// What a real Ollama was heard to say, and what it means by it.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		status int
		said   string
		want   runtime.Code
	}{
		{404, "model 'nope' not found", runtime.CodeMissing},
		{404, `model "nope" not found, try pulling it first`, runtime.CodeMissing},
		{400, `invalid character 'b' looking for beginning of value`, runtime.CodeRefused},
		{500, `option "num_predict" must be of type integer`, runtime.CodeRefused},
		{400, `"tiny" does not support thinking`, runtime.CodeRefused},
		{500, "invalid JSON schema in format", runtime.CodeRefused},
		{400, "the input length exceeds the context length", runtime.CodeTruncated},
		{500, "model requires more system memory (32.0 GiB) than is available (22.7 GiB)", runtime.CodeTooLarge},
		{500, "llama runner process has terminated: cudaMalloc failed: out of memory", runtime.CodeTooLarge},
		{500, "llama runner process has terminated: error loading model: missing tensor 'blk.0.attn_q.weight'", runtime.CodeBroken},
		{500, "unable to load model: /models/blobs/sha256-4e7a", runtime.CodeBroken},
		{500, "model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details", runtime.CodeBroken},
		{500, `tensor "blk.1.attn_v.weight" offset+size (300896) exceeds file size (300000)`, runtime.CodeBroken},
		{200, "an error was encountered while running the model: unexpected EOF", runtime.CodeRunnerGone},
		{500, "llama runner process no longer running: -1 ", runtime.CodeRunnerGone},
		{503, "server busy, please try again.  maximum pending requests exceeded", runtime.CodeBusy},
		{429, "slow down", runtime.CodeBusy},
		{418, "something new", runtime.CodeRefused},
		{500, "something new", runtime.CodeServerFault},
		{200, "something new", runtime.CodeServerFault},
	} {
		if got := meaning(c.status, c.said); got != c.want {
			t.Errorf("%d %s: %s, want %s", c.status, c.said, got, c.want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"tiny": "tiny:latest", "tiny:7b": "tiny:7b", "host:5000/ns/tiny": "host:5000/ns/tiny:latest", "": "",
	} {
		if got := canonical(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
