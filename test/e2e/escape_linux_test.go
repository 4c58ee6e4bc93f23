package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
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
	// Whether it was seen before it had left the session is a matter of luck.
	f.until("the worker says what it ended", func() bool {
		return slices.ContainsFunc(f.log("worker-1"), func(l line) bool {
			return (strings.Contains(l.Text, "Ended what had escaped") || strings.Contains(l.Text, "left processes behind"))
		})
	})
	for _, p := range processesOf("") {
		if p.command == escaped {
			t.Errorf("it lives on: %s", p)
			p.kill()
		}
	}
}
