//go:build linux || darwin

package attemptdir_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
	"candor/internal/attemptdir"
)

const (
	batch = candor.BatchID(7)
	task  = candor.TaskID(1001)
)

// attempt makes the folder of one attempt, with a log.
func attempt(t *testing.T, state string, batch candor.BatchID, n int) string {
	t.Helper()
	dir := attemptdir.Of(state, batch, task, n)
	if err := os.MkdirAll(filepath.Join(dir, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log"), []byte("printed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestABatchGoesWholeAndNothingElseDoes(t *testing.T) {
	state, outside := t.TempDir(), t.TempDir()
	precious := filepath.Join(outside, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(attempt(t, state, batch, 1), "work")
	if err := os.Symlink(outside, filepath.Join(work, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(work, 0o555); err != nil {
		t.Fatal(err)
	}
	attempt(t, state, batch, 2)
	other := attempt(t, state, batch+1, 1)
	if err := os.Symlink(outside, filepath.Join(attemptdir.Root(state), (batch+2).String())); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(attemptdir.Root(state), "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := attemptdir.Batches(state); err != nil || len(got) != 2 {
		t.Errorf("batches %v, %v", got, err)
	}
	for _, id := range []candor.BatchID{batch, batch + 2, batch + 3} {
		if err := attemptdir.Remove(state, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if left, _ := os.ReadDir(attemptdir.Root(state)); len(left) != 2 || !there(other) || !there(precious) {
		t.Errorf("left %v; the other batch %v, what a link named %v", left, there(other), there(precious))
	}
}

func TestALinkInPlaceOfTheFolderIsRefused(t *testing.T) {
	elsewhere, state := t.TempDir(), t.TempDir()
	dir := attempt(t, elsewhere, batch, 1)
	if err := os.Symlink(attemptdir.Root(elsewhere), attemptdir.Root(state)); err != nil {
		t.Fatal(err)
	}
	if err := attemptdir.Remove(state, batch); err == nil || !there(dir) {
		t.Errorf("%v; still there: %v", err, there(dir))
	}
	if got, err := attemptdir.Batches(state); err == nil {
		t.Errorf("batches %v", got)
	}
}

func TestIdleLooksAtLogs(t *testing.T) {
	state := t.TempDir()
	dir := attempt(t, state, batch, 1)
	old, now := time.Now().Add(-time.Hour), time.Now()
	age := func(when time.Time, paths ...string) {
		for _, p := range paths {
			if err := os.Chtimes(p, when, when); err != nil {
				t.Fatal(err)
			}
		}
	}
	age(old, filepath.Join(dir, "log"), filepath.Join(dir, "work"), dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir)))
	if !attemptdir.Idle(state, batch, now.Add(-time.Minute)) || attemptdir.Idle(state, batch, now.Add(-2*time.Hour)) {
		t.Error("an hour of silence is not told")
	}
	age(now, filepath.Join(dir, "log"))
	if attemptdir.Idle(state, batch, now.Add(-time.Minute)) {
		t.Error("what prints counts as idle")
	}
	if attemptdir.Idle(state, batch+1, now) {
		t.Error("what is not there counts as idle")
	}
}
