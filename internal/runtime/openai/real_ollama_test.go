//go:build ollama && linux

package openai_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/openai"
	"candor/internal/runtime/realtest"
	"candor/internal/runtime/runtimetest"
)

// TestRealOllama holds the adapter to the suite with Ollama's own version of
// the API: the one of all servers that cuts prompts in silence.
func TestRealOllama(t *testing.T) {
	program, models := realtest.Find(t, "CANDOR_OLLAMA", "ollama", "scripts/install-ollama.sh"), t.TempDir()
	start := func(t *testing.T) (string, realtest.Server) {
		home := t.TempDir()
		s := ollama.Serve{
			Program: program, Models: models, Owner: home, Port: realtest.FreePort(t), Context: 1024,
			Base: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")},
		}
		return s.URL(), realtest.Start(t, process.Spec{Argv: s.Argv(), Env: s.Env(), Mark: s.Mark(), Dir: home}, answers(s.URL()+"/api/version"))
	}
	url, maker := start(t)
	for _, p := range realtest.Models() {
		realtest.Create(t, url, p)
	}
	maker.Stop(t)
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		url, server := start(t)
		runner := func(string) int { return realtest.Child(t, server.PID(), "runner") }
		return runtimetest.Subject{
			Server:   adapter(t, openai.Options{URL: url, Context: 1024}),
			Settings: runtime.Settings{Context: 1024},
			Models: runtimetest.Models{
				Tiny: "tiny:latest", Other: "other:latest", Endless: "endless:latest", Vector: "tiny:latest",
				Stutter: "stutter:latest", Huge: "huge:latest", Broken: "broken:latest",
			},
			Faults: runtimetest.Faults{
				Kill:         func() { realtest.Signal(t, server.PID(), unix.SIGKILL) },
				Freeze:       func() func() { return realtest.Freeze(t, server.PID()) },
				KillRunner:   func(model string) { realtest.Kill(t, runner(model)) },
				FreezeRunner: func(model string) func() { return realtest.Freeze(t, runner(model)) },
			},
			Cannot: cannot(map[runtimetest.Ability]string{
				runtimetest.RefuseLong: "Ollama cuts a prompt in silence unless its own API is used",
				runtimetest.TellDeath:  "Ollama ends the stream as if nothing had happened unless its own API is used",
				runtimetest.StopAtFull: "Ollama forgets the beginning and goes on unless its own API is used",
			}),
		}
	})
}
