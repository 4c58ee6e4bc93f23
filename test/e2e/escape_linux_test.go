package e2e

import (
	"fmt"
	"os"
	"testing"

	"candor"
)

// TestWhatEscapedIsEndedWithItsAttempt: a job that left its session, its
// environment, its output and its parent is found by the worker that inherits it.
func TestWhatEscapedIsEndedWithItsAttempt(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	escaped := fmt.Sprintf("sleep 4003.%d", os.Getpid()) // like none that another run of this test leaves
	id := f.submit("escape", `
		a: {run: "env -i setsid -f `+escaped+` </dev/null >/dev/null 2>&1"}
	`)
	f.reaches(id, "a", candor.TaskComplete)
	f.logged("worker-1", 1, "Ended what had escaped", "(sleep)")
	for _, p := range processesOf("") {
		if p.command == escaped {
			t.Errorf("it lives on: %s", p)
			p.kill()
		}
	}
}
