package ollama_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/runtimetest"
	"candor/internal/simrt"
)

// simulated starts a simulated server and an adapter to it.
func simulated(t *testing.T, o simrt.Options) (*simrt.Server, *ollama.Client) {
	t.Helper()
	o.Clock = clock.System()
	sim := simrt.New(o)
	web := httptest.NewServer(sim)
	client := ollama.New(ollama.Options{URL: web.URL, Clock: clock.System(), Slots: 1, CallLimit: 2 * time.Second})
	t.Cleanup(func() {
		client.Close()
		web.CloseClientConnections()
		web.Close()
	})
	return sim, client
}

// TestSimulated holds the adapter to the suite with the simulated server, and
// the simulation to what a real one shows.
func TestSimulated(t *testing.T) {
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		card := int64(8 * candor.GiB)
		sim, client := simulated(t, simrt.Options{
			VRAM: card, RAM: card,
			Models: []simrt.Model{
				{Name: "tiny", Size: 1 << 20, PerToken: 1 << 10, LoadTime: 20 * time.Millisecond},
				{Name: "other", Size: 1 << 21, PerToken: 1 << 10, LoadTime: 20 * time.Millisecond},
				{Name: "endless", Size: 1 << 22, PerToken: 1 << 10, Rate: 200, Endless: true},
				{Name: "stutter", Size: 1 << 20, Stutter: true},
				{Name: "huge", Size: 1 << 20, PerToken: 256, Context: 1 << 30},
				{Name: "broken", Size: 1 << 20, Broken: true},
			},
		})
		return runtimetest.Subject{
			Server:   client,
			Settings: runtime.Settings{Context: 1024, Threads: 1},
			Models: runtimetest.Models{
				Tiny: "tiny:latest", Other: "other:latest", Endless: "endless:latest",
				Vector: "tiny:latest", Stutter: "stutter:latest", Huge: "huge:latest", Broken: "broken:latest",
			},
			Faults: runtimetest.Faults{
				Kill: sim.Kill, Freeze: sim.Freeze, KillRunner: sim.KillRunner,
				FreezeRunner: sim.FreezeRunner,
			},
		}
	})
}
