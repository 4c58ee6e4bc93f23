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

// TestShortQueueIsShared: three workers have the model in memory, and six rows of
// a second or so come. Whoever asks first could hold all of them, since models.parallel
// is what it is by default; each does two, and the night is as short as it can be.
func TestShortQueueIsShared(t *testing.T) {
	t.Parallel()
	s := swift()
	s["models.parallel"] = "4" // the default, which servers of one slot know nothing of
	f := newFarm(t, s)
	f.brain()
	m, quick := light("m"), light("quick")
	m.Rate, m.Length = 10, 10
	quick.Rate, quick.Length = 50, 10
	names := []string{"worker-1", "worker-2", "worker-3"}
	for i, name := range names {
		f.serves(name, simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{m, quick}}), "--gpu", fmt.Sprintf("simulated:%d:24GiB", i+1))
		f.candor("model", "load", "m", "--worker", name).ok()
		f.candor("model", "load", "quick", "--worker", name).ok()
	}
	rows := func(model string, n int) candor.Batch {
		b := f.ends(f.submit(model, strings.Replace(asks("topics", model, numbers(n)), "max_tokens: 20", "max_tokens: 200", 1)))
		f.everyRowOnce(b, "topics", n)
		if b.Outcome != candor.OutcomeSucceeded {
			t.Errorf("the batch ended with %v", b.Counts)
		}
		return b
	}
	b := rows("m", 6)
	first, last := time.Time{}, time.Time{}
	did := map[string]int{}
	for _, task := range f.tasks(b.ID) {
		did[task.Worker]++
		if first.IsZero() || task.StartedAt.Before(first) {
			first = task.StartedAt
		}
		if task.FinishedAt.After(last) {
			last = task.FinishedAt
		}
	}
	for _, name := range names {
		if did[name] != 2 {
			t.Errorf("%s did %d of 6 tasks, want 2; it took %s", name, did[name], last.Sub(first))
		}
	}
	// Rows that wait in a server's own queue show how many it works on at once. It
	// takes a few more of them.
	rows("quick", 90)
	for _, name := range names {
		f.until(name+" has learnt that its server has one slot", func() bool {
			v := f.worker(name).Serving
			return v != nil && v.Slots == 1
		})
	}
}
