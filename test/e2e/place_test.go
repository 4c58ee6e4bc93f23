//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/simrt"
)

// light is a model that is simulated: it loads in a moment and answers at once.
func light(name string) simrt.Model {
	return simrt.Model{Name: name, Size: 4 << 30, Context: 8192, LoadTime: 300 * time.Millisecond, Rate: 500, Length: 10}
}

// swift are settings under which models come and go within a test.
func swift() settings {
	return settings{"placement.load_guess": "300ms", "placement.run_guess": "50ms", "placement.loads_per_host": "8", "models.parallel": "1", "models.context": "1024", "models.on_gpu": "allow"}
}

// numbers is a list of so many items.
func numbers(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i+1))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// TestSeedNoModelWorkers is the seed's test case 2: workers without models, llm
// tasks in the queue.
func TestSeedNoModelWorkers(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	f.brain()
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		f.serves(name, simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{light("qwen2.5:7b")}}))
	}
	id := f.submit("night", `
		topics:
			`+strings.ReplaceAll(asking("qwen2.5:7b", numbers(125)), "\n", "\n\t\t\t")+`
	`)
	b := f.ends(id)
	if b.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("the batch ended with %v", b.Counts)
	}
	f.everyRowOnce(b, "topics", 125)
	f.once(candor.EventOrderMade, "LLM tasks waiting (125) but no models loaded - inserting load_llm task")
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		if w := f.worker(name); w.Completed < 20 {
			t.Errorf("%s did %d of 125 tasks", name, w.Completed)
		}
	}
}
