//go:build linux || darwin

package worker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"candor"
	"candor/internal/attemptdir"
)

// unprivileged are the scenes that root cannot play, since nothing is
// forbidden to it. Each gets an empty folder of its own and tells what it saw.
func unprivileged() map[string]func(dir string) string {
	return map[string]func(string) string{
		"unreadable output": func(dir string) string {
			if err := os.WriteFile(filepath.Join(dir, "out.txt"), []byte("a"), 0o000); err != nil {
				return err.Error()
			}
			_, err := findOutputs(dir, map[string]string{"o": "out.txt"})
			return fmt.Sprint(err)
		},
		"read-only folders": func(dir string) string {
			w := &worker{o: Options{StateDir: dir, KeepFailed: 1}, dir: dir}
			if err := os.MkdirAll(w.keptDir(), 0o700); err != nil {
				return err.Error()
			}
			outside := filepath.Join(dir, "outside")
			said := ""
			for lease := int64(1); lease <= 3; lease++ {
				a := &attempt{Assignment: candor.Assignment{Lease: lease}, dir: filepath.Join(dir, "attempts", "b", "t", fmt.Sprint(lease))}
				err := errors.Join(os.MkdirAll(filepath.Join(a.workDir(), "d", "e"), 0o755), os.MkdirAll(outside, 0o500), os.Symlink(outside, filepath.Join(a.workDir(), "d", "l")),
					os.Chmod(filepath.Join(a.workDir(), "d", "e"), 0o000), os.Chmod(filepath.Join(a.workDir(), "d"), 0o555), os.Chmod(a.workDir(), 0o500))
				said += fmt.Sprintln(err, w.keep(a))
			}
			kept, _ := filepath.Glob(filepath.Join(dir, "attempts", "b", "t", "*", "work"))
			notes, _ := filepath.Glob(filepath.Join(w.keptDir(), "*"))
			info, err := os.Stat(outside)
			if err != nil {
				return err.Error()
			}
			return said + fmt.Sprintln(len(kept), len(notes), info.Mode().Perm())
		},
	}
}

// playUnprivileged plays one scene as a user who is not root.
func playUnprivileged() {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			fmt.Println("setuid:", err)
			return
		}
	}
	dir, err := os.MkdirTemp("", "candor-unprivileged-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = attemptdir.RemoveTree(dir) }()
	fmt.Print(unprivileged()[os.Getenv("WORKER_TEST_SCENE")](dir))
}

// asNobody plays a scene in a process of its own and returns what it told.
func asNobody(t *testing.T, scene string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "WORKER_TEST_PART=unprivileged", "WORKER_TEST_SCENE="+scene)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestAnOutputThatCannotBeReadIsTheTasks(t *testing.T) {
	if said := asNobody(t, "unreadable output"); !strings.HasPrefix(said, "declared output out.txt (o) cannot be read: open ") {
		t.Errorf("%q", said)
	}
}

// One folder that may not be written must not keep all others for ever.
func TestReadOnlyFoldersAreClearedAway(t *testing.T) {
	if said, want := asNobody(t, "read-only folders"), strings.Repeat("<nil> <nil>\n", 3)+"1 1 -r-x------\n"; said != want {
		t.Errorf("%q, want %q", said, want)
	}
}

func TestWhatCannotBeClearedAwayIsNotInTheWay(t *testing.T) {
	dir := t.TempDir()
	w := &worker{o: Options{StateDir: dir, KeepFailed: 1}, dir: dir}
	if err := os.MkdirAll(filepath.Join(w.keptDir(), "1"), 0o700); err != nil { // a note that cannot be read
		t.Fatal(err)
	}
	for lease := int64(2); lease <= 3; lease++ {
		a := &attempt{Assignment: candor.Assignment{Lease: lease}, dir: filepath.Join(dir, "attempts", "b", "t", fmt.Sprint(lease))}
		if err := os.MkdirAll(a.workDir(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := w.keep(a); (err != nil) != (lease == 2) {
			t.Errorf("lease %d: %v", lease, err)
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "attempts", "b", "t", "*", "work")); len(kept) != 1 {
		t.Errorf("kept %v", kept)
	}
}
