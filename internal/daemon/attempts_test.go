package daemon_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/daemon"
	"candor/internal/store"
)

// leave makes what an attempt leaves behind, last touched a while ago.
func leave(t *testing.T, dir string, batch candor.BatchID, ago time.Duration) string {
	t.Helper()
	folder := attemptdir.Of(dir, batch, 1001, 1)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-ago)
	for p := folder; p != attemptdir.Root(dir); p = filepath.Dir(p) {
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestLogsGoWithTheHistory: what attempts left goes when their batch does, its
// outputs stay, and so does all of a batch that is not over.
func TestLogsGoWithTheHistory(t *testing.T) {
	dir := socketDir(t)
	r := start(t, dir, func(o *daemon.Options) {
		o.Retention, o.PruneEvery = store.Retention{Age: time.Millisecond}, 10*time.Millisecond
	})
	c := r.client("")
	over, err := c.Submit(t.Context(), plan())
	if err != nil {
		t.Fatal(err)
	}
	live, err := c.Submit(t.Context(), plan())
	if err != nil {
		t.Fatal(err)
	}
	outputs := filepath.Join(dir, "batches", over.Batch.String())
	if err := os.MkdirAll(outputs, 0o755); err != nil {
		t.Fatal(err)
	}
	gone, stays := leave(t, dir, over.Batch, 0), leave(t, dir, live.Batch, time.Hour)
	if _, err := c.Cancel(t.Context(), candor.ChangeRequest{Targets: []string{over.Batch.String()}}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); exists(filepath.Dir(filepath.Dir(gone))); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the logs of a pruned batch are still there")
		}
	}
	if !exists(stays) || !exists(outputs) {
		t.Errorf("of a batch that is not over: %v; outputs: %v", exists(stays), exists(outputs))
	}
}

// TestLogsThatAKilledBrainLeft go at the next start, once they are old enough: a
// batch that this brain never knew may be somebody else's.
func TestLogsThatAKilledBrainLeft(t *testing.T) {
	dir := socketDir(t)
	old, young := leave(t, dir, 70, 3*time.Hour), leave(t, dir, 71, time.Minute)
	start(t, dir, func(o *daemon.Options) { o.Retention = store.Retention{Age: time.Hour} })
	if exists(old) || !exists(young) {
		t.Errorf("the old one %v, the young one %v", exists(old), exists(young))
	}
}
