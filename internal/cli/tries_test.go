package cli

import (
	"testing"

	"candor"
)

// A task's page and its line in a list say the same of its tries.
func TestTries(t *testing.T) {
	for _, c := range []struct {
		name               string
		state              candor.TaskState
		attempt, counted   int
		tries              int
		worker, cell, text string
	}{
		{"waits", candor.TaskQueued, 0, 0, 3, "", "0/3", "0 of 3"},
		{"succeeded at once", candor.TaskComplete, 1, 0, 1, "w", "1/1", "1 of 1"},
		{"runs again", candor.TaskProcessing, 2, 1, 3, "w", "2/3", "2 of 3"},
		{"handed back twice", candor.TaskProcessing, 3, 0, 1, "w", "1/1", "1 of 1 (and 2 attempts that did not count)"},
		{"waits after exit 75", candor.TaskQueued, 2, 0, 1, "", "0/1", "0 of 1 (and 2 attempts that did not count)"},
		{"failed", candor.TaskFailed, 3, 2, 2, "w", "2/2", "2 of 2 (and 1 attempt that did not count)"},
		{"cancelled as it ran", candor.TaskCancelled, 1, 0, 2, "w", "1/2", "1 of 2"},
		{"cancelled as it waited", candor.TaskCancelled, 1, 1, 2, "", "1/2", "1 of 2"},
	} {
		task := candor.Task{State: c.state, Attempt: c.attempt, Counted: c.counted, Tries: c.tries, Worker: c.worker}
		if cell, text := triesCell(task), triesText(task); cell != c.cell || text != c.text {
			t.Errorf("%s: %q and %q, want %q and %q", c.name, cell, text, c.cell, c.text)
		}
	}
}
