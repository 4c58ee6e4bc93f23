package cli

import (
	"fmt"

	"candor"
)

// triesOf is at which try of its budget a task is, and how many of its attempts
// used none up. An attempt that runs, that succeeded or that somebody cancelled
// is a try; one that ended otherwise is if it counted.
func triesOf(t candor.Task) (try, free int) {
	free = t.Attempt - t.Counted
	switch t.State {
	case candor.TaskProcessing, candor.TaskComplete:
		free--
	case candor.TaskCancelled:
		if t.Worker != "" { // cancelled while it ran
			free--
		}
	case candor.TaskBlocked, candor.TaskQueued, candor.TaskFailed:
	}
	free = max(0, free)
	return t.Attempt - free, free
}

func triesCell(t candor.Task) string {
	try, _ := triesOf(t)
	return fmt.Sprintf("%d/%d", try, t.Tries)
}

func triesText(t candor.Task) string {
	try, free := triesOf(t)
	text := fmt.Sprintf("%d of %d", try, t.Tries)
	if free > 0 {
		text += fmt.Sprintf(" (and %s that did not count)", plural(free, "attempt"))
	}
	return text
}
