package llamaserver

import (
	"os"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// Lines as llama-server writes them for the CPU, and as llama.cpp names the
// buffers of cards.
func TestReadSizes(t *testing.T) {
	const mib = 1 << 20
	for name, c := range map[string]struct {
		log       string
		all, vram int64
	}{
		"CPU": {`0.00.021.600 I load_tensors:   CPU_Mapped model buffer size =     0.50 MiB
0.00.023.142 I llama_context:        CPU  output buffer size =     0.00 MiB
0.00.023.172 I llama_kv_cache:        CPU KV buffer size =     0.25 MiB
0.00.024.656 I sched_reserve:        CPU compute buffer size =     1.50 MiB
`, 2.25 * mib, 0},
		"card": {`0.01 I load_tensors:        CUDA0 model buffer size =  4000.00 MiB
0.01 I llama_kv_cache:      CUDA0 KV buffer size =   512.00 MiB
0.01 I sched_reserve:      CUDA0 compute buffer size =   100.00 MiB
`, 4612 * mib, 4612 * mib},
		"card, with what stays outside by design": {`0.01 I print_info: n_embd                = 64
0.01 I print_info: n_vocab               = 425000
0.01 I load_tensors: offloaded 33/33 layers to GPU
0.01 I load_tensors:   CPU_Mapped model buffer size =   100.00 MiB
0.01 I load_tensors:        CUDA0 model buffer size =  4000.00 MiB
0.01 I llama_context:  CUDA_Host  output buffer size =     0.50 MiB
0.01 I llama_kv_cache:      CUDA0 KV buffer size =   512.00 MiB
0.01 I sched_reserve:  CUDA_Host compute buffer size =    20.00 MiB
`, 4512 * mib, 4512 * mib},
		"experts outside": {`0.01 I print_info: n_embd                = 64
0.01 I print_info: n_vocab               = 425000
0.01 I load_tensors: offloaded 33/33 layers to GPU
0.01 I load_tensors:   CPU_Mapped model buffer size =  2000.00 MiB
0.01 I load_tensors:        CUDA0 model buffer size =  4000.00 MiB
`, 6000 * mib, 4000 * mib},
		"context outside": {`0.01 I load_tensors: offloaded 33/33 layers to GPU
0.01 I load_tensors:        CUDA0 model buffer size =  4000.00 MiB
0.01 I llama_kv_cache:        CPU KV buffer size =   512.00 MiB
`, 4512 * mib, 4000 * mib},
		"both": {`0.01 I load_tensors:   CPU_Mapped model buffer size =   300.00 MiB
0.01 I load_tensors:      Vulkan0 model buffer size =   700.00 MiB
0.01 I sched_reserve:  Vulkan_Host compute buffer size =    10.00 MiB
`, 1010 * mib, 700 * mib},
	} {
		s, ok := readSizes(strings.NewReader(c.log))
		if !ok || s.all != c.all || s.vram != c.vram {
			t.Errorf("%s: %+v, %v, want %d and %d", name, s, ok, c.all, c.vram)
		}
	}
	if _, ok := readSizes(strings.NewReader("nothing\n")); ok {
		t.Error("sizes out of nothing")
	}
}

func managed(t *testing.T) *Client {
	t.Helper()
	s := Serve{Dir: t.TempDir()}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	o := s.Options()
	o.Clock = clock.System()
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

// The router has an exit code; the words are in the model's own log.
func TestFailure(t *testing.T) {
	failed := model{ID: "m", Status: status{Value: statusUnloaded, Failed: true, Exit: 1}}
	for log, want := range map[string]struct {
		code runtime.Code
		said string
	}{
		"": {runtime.CodeBroken, "it exited with code 1"},
		"0.00.018.458 E llama_model_load: error loading model: data is not within the file bounds\n0.00.019.270 I srv  all is well\n0.00.019.894 E srv  llama_server: exiting due to model loading error\n": {
			runtime.CodeBroken, "llama_model_load: error loading model: data is not within the file bounds"},
		"0.01.9 E ggml_cuda: cudaMalloc failed: out of memory\n":                             {runtime.CodeTooLarge, "ggml_cuda: cudaMalloc failed: out of memory"},
		"0.01.9 E llama_init_from_model: failed to initialize the context: std::bad_alloc\n": {runtime.CodeTooLarge, "llama_init_from_model: failed to initialize the context: std::bad_alloc"},
	} {
		c := managed(t)
		if err := os.WriteFile(c.logOf("m"), []byte(log), 0o600); err != nil {
			t.Fatal(err)
		}
		err := c.failure(failed)
		if runtime.CodeOf(err) != want.code || !strings.HasSuffix(err.Error(), want.said) {
			t.Errorf("%q: %v", log, err)
		}
	}
}

// A log that is written to for days is emptied, also while it is written to.
func TestTrim(t *testing.T) {
	c := managed(t)
	f, err := os.Create(c.logOf("m"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := func() int64 {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	grow := func() {
		if _, err := f.Write(make([]byte, logKeep)); err != nil {
			t.Fatal(err)
		}
	}
	grow()
	c.trim("m")
	if size() != logKeep {
		t.Errorf("emptied at %d", size())
	}
	if _, err := f.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	c.trim("m")
	if size() != 0 {
		t.Errorf("not emptied: %d", size())
	}
	if _, err := f.WriteString("y"); err != nil { // it goes on where it was
		t.Fatal(err)
	}
	c.trim("m")
	if size() == 0 {
		t.Error("emptied again at once")
	}
	grow()
	c.trim("m")
	if size() != 0 {
		t.Errorf("not emptied when it had grown: %d", size())
	}
}
