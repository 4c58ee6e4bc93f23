//go:build !windows

package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
	"candor/internal/store"
)

// TestWhatIsNotInItsPlaceTakesNothing: a state directory that was moved, removed
// or replaced under its leader is not written to, and goes on when it is back.
func TestWhatIsNotInItsPlaceTakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, Options{Dir: dir})
	if err := s.Commit(t.Context(), someBatch(1)); err != nil {
		t.Fatal(err)
	}
	away := dir + ".away"
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(dir, away)
	refused(t, s.Commit(t.Context(), someBatch(2)), candor.CodeUnavailable, `candor\.db was moved or removed: nothing can be kept`, "put it back")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, s.Commit(t.Context(), someBatch(2)), candor.CodeUnavailable, "was moved or removed", "put it back")
	if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, s.Commit(t.Context(), someBatch(2)), candor.CodeUnavailable, "is another file than the one that was opened", "put it back")
	if _, err := s.Prune(t.Context(), noon, store.Retention{Age: time.Hour}); candor.CodeOf(err) != candor.CodeUnavailable {
		t.Errorf("pruned: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	move(away, dir)
	if err := s.Commit(t.Context(), someBatch(2)); err != nil {
		t.Errorf("back in its place: %v", err)
	}
	if all, err := s.Batches(t.Context(), candor.BatchQuery{}); err != nil || len(all) != 2 {
		t.Errorf("%d batches, %v", len(all), err)
	}
}
