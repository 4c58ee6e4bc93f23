//go:build ollama && linux

package ollama_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/realtest"
	"candor/internal/runtime/runtimetest"
	"candor/internal/tinygguf"
)

// farm is what real servers share: the program and a folder of models.
type farm struct {
	program string
	models  string
}

// real is one running `ollama serve`.
type real struct {
	realtest.Server
	serve  ollama.Serve
	client *ollama.Client
}

// newFarm makes the models once; the servers only read them.
func newFarm(t *testing.T) farm {
	t.Helper()
	f := farm{program: realtest.Find(t, "CANDOR_OLLAMA", "ollama", "scripts/install-ollama.sh"), models: t.TempDir()}
	r := f.start(t, ollama.Serve{})
	for _, p := range realtest.Models() {
		realtest.Create(t, r.serve.URL(), p)
	}
	r.Stop(t)
	return f
}

// start starts a server on a free port, waits until it answers, and ends it
// with the test.
func (f farm) start(t *testing.T, s ollama.Serve) *real {
	t.Helper()
	home := t.TempDir()
	s.Program, s.Models, s.Owner, s.Port = f.program, f.models, home, realtest.FreePort(t)
	s.Base = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	o := s.Options()
	o.Clock = clock.System()
	r := &real{serve: s, client: ollama.New(o)}
	t.Cleanup(r.client.Close)
	r.Server = realtest.Start(t, process.Spec{Argv: s.Argv(), Env: s.Env(), Mark: s.Mark(), Dir: home}, func() bool {
		_, err := r.client.Identify(t.Context())
		return err == nil
	})
	return r
}

// create gives the server a model, and returns where it keeps the file.
func (r *real) create(t *testing.T, p tinygguf.Params) string {
	t.Helper()
	return filepath.Join(r.serve.Models, "blobs", realtest.Create(t, r.serve.URL(), p))
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
			Kill:         func() { realtest.Signal(t, r.PID(), unix.SIGKILL) },
			Freeze:       func() func() { return realtest.Freeze(t, r.PID()) },
			KillRunner:   func(string) { realtest.Kill(t, r.runner(t)) },
			FreezeRunner: func(string) func() { return realtest.Freeze(t, r.runner(t)) },
		},
	}
}

// runner is the process that holds the one loaded model.
func (r *real) runner(t *testing.T) int {
	t.Helper()
	return realtest.Child(t, r.PID(), "runner")
}
