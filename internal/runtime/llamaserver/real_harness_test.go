//go:build llamaserver && linux

package llamaserver_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/realtest"
	"candor/internal/runtime/runtimetest"
	"candor/internal/tinygguf"
)

// memoryLimit is the address space of a server in KiB: a model that asks for
// more is refused by the system, instead of filling the machine's memory.
const memoryLimit = "4194304"

// farm is what real servers share: the program and a folder of models.
type farm struct {
	program string
	models  string
}

// real is one running llama-server.
type real struct {
	realtest.Server
	client *llamaserver.Client
}

func newFarm(t *testing.T) farm {
	t.Helper()
	vector := tinygguf.Tiny("vector")
	vector.Seed = 5
	return farm{
		program: realtest.Find(t, "CANDOR_LLAMA_SERVER", "llama-server", "scripts/install-llama-server.sh"),
		models:  realtest.Folder(t, append(realtest.Models(), vector)...),
	}
}

// start starts a server on a free port, waits until it answers, and ends it
// with the test.
func (f farm) start(t *testing.T, s llamaserver.Serve) *real {
	t.Helper()
	dir := t.TempDir()
	s.Program, s.Dir, s.Owner, s.Port = f.program, filepath.Join(dir, "llama"), dir, realtest.FreePort(t)
	s.Base = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	s.Vectors = map[string]string{"vector": "mean"}
	if s.Models == "" {
		s.Models = f.models
	}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	o := s.Options()
	o.Clock, o.CallLimit = clock.System(), 3*time.Second
	r := &real{client: llamaserver.New(o)}
	t.Cleanup(r.client.Close)
	limited := append([]string{"/bin/sh", "-c", "ulimit -v " + memoryLimit + ` && exec "$@"`, "sh"}, s.Argv()...)
	r.Server = realtest.Start(t, process.Spec{Argv: limited, Env: s.Env(), Mark: s.Mark(), Dir: dir}, func() bool {
		_, err := r.client.Identify(t.Context())
		return err == nil
	})
	return r
}

// subject is the server as the suite wants it.
func (r *real) subject(t *testing.T) runtimetest.Subject {
	child := func(model string) int { return realtest.Child(t, r.PID(), "--alias "+model+" ") }
	return runtimetest.Subject{
		Server:   r.client,
		Settings: runtime.Settings{Context: 1024, Threads: 1},
		Models: runtimetest.Models{
			Tiny: "tiny", Other: "other", Endless: "endless", Vector: "vector",
			Stutter: "stutter", Huge: "huge", Broken: "broken",
		},
		Faults: runtimetest.Faults{
			Kill:         func() { realtest.Signal(t, r.PID(), unix.SIGKILL) },
			Freeze:       func() func() { return realtest.Freeze(t, r.PID()) },
			KillRunner:   func(model string) { realtest.Kill(t, child(model)) },
			FreezeRunner: func(model string) func() { return realtest.Freeze(t, child(model)) },
		},
		Cannot: map[runtimetest.Ability]string{
			runtimetest.TextVectors: "llama-server answers 501 unless the model was loaded for embeddings",
		},
	}
}
