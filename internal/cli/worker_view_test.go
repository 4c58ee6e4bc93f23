package cli

import (
	"testing"
	"time"

	"candor"
)

// TestAWorkerRunsWhatItHolds and not what its last heartbeat spoke of.
func TestAWorkerRunsWhatItHolds(t *testing.T) {
	w := candor.Worker{Doing: "running s[2] t_5g7n", DoingAt: ago(3 * time.Second)}
	if got := doingText(w, at()); got != "" {
		t.Errorf("it holds nothing, and is shown as %q", got)
	}
	w.Running = []candor.Running{{Task: taskA}}
	if got := doingText(w, at()); got != "running s[2] t_5g7n, since 3s" {
		t.Errorf("got %q", got)
	}
	w.Running, w.Doing = nil, "waiting for work"
	if got := doingText(w, at()); got != "waiting for work, since 3s" {
		t.Errorf("got %q", got)
	}
}
