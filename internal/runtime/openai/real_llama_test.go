//go:build llamaserver && linux

package openai_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/openai"
	"candor/internal/runtime/realtest"
	"candor/internal/runtime/runtimetest"
	"candor/internal/tinygguf"
)

// TestRealLlamaServer holds the adapter to the suite with a server that loads
// models when they are asked for, as llama-swap and LM Studio do.
func TestRealLlamaServer(t *testing.T) {
	program := realtest.Find(t, "CANDOR_LLAMA_SERVER", "llama-server", "scripts/install-llama-server.sh")
	vector := tinygguf.Tiny("vector")
	vector.Seed = 5
	models := realtest.Folder(t, append(realtest.Models(), vector)...)
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		dir, port := t.TempDir(), realtest.FreePort(t)
		preset := filepath.Join(dir, "models.ini")
		if err := os.WriteFile(preset, []byte("version = 1\n[vector]\nembeddings = true\npooling = mean\nbatch-size = 1024\nubatch-size = 1024\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		url := fmt.Sprintf("http://127.0.0.1:%d", port)
		server := realtest.Start(t, process.Spec{
			Argv: []string{
				program, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--models-dir", models, "--models-preset", preset,
				"--ctx-size", "1024", "--parallel", "1", "--threads", "1", "--offline", "--no-webui", "--log-colors", "off",
			},
			Env: []string{"HOME=" + dir}, Dir: dir,
		}, answers(url+"/health"))
		child := func(model string) int { return realtest.Child(t, server.PID(), "--alias "+model+" ") }
		return runtimetest.Subject{
			Server:   adapter(t, openai.Options{URL: url + "/v1/"}),
			Settings: runtime.Settings{Context: 1024},
			Models: runtimetest.Models{
				Tiny: "tiny", Other: "other", Endless: "endless", Vector: "vector", Stutter: "stutter", Huge: "huge", Broken: "broken",
			},
			Faults: runtimetest.Faults{
				Kill:         func() { realtest.Signal(t, server.PID(), unix.SIGKILL) },
				Freeze:       func() func() { return realtest.Freeze(t, server.PID()) },
				KillRunner:   func(model string) { realtest.Kill(t, child(model)) },
				FreezeRunner: func(model string) func() { return realtest.Freeze(t, child(model)) },
			},
			Cannot: cannot(map[runtimetest.Ability]string{
				runtimetest.TextVectors: "llama-server answers 501 unless the model was loaded for embeddings",
			}),
		}
	})
}
