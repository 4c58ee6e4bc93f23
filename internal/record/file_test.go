package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestARemovedFileIsMadeAgain, but not the folder with it.
func TestARemovedFileIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	path := filepath.Join(dir, "brain.jsonl")
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Options{Component: "brain", File: path})
		say := func(text string) {
			t.Helper()
			time.Sleep(2 * lookEvery) // of the bubble
			l.Logger().Info(text)
			if err := l.Sync(); err != nil {
				t.Error(err)
			}
		}
		say("before")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		say("after")
		if got := read(t, path); !strings.Contains(got, `"after"`) || strings.Contains(got, `"before"`) {
			t.Errorf("the file made again holds %s", got)
		}
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		say("while away")
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the folder is there again, in the way of the one that was moved: %v", err)
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
		say("back")
		if got := read(t, path); !strings.Contains(got, `"while away"`) || !strings.Contains(got, `"back"`) {
			t.Errorf("back in its place, the file holds %s", got)
		}
		closeLog(t, l)
	})
}
