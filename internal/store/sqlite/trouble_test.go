package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

// holdEnv names the variable by which this test binary is asked to hold the
// write lock of a directory's database until its standard input ends.
const holdEnv = "CANDOR_SQLITE_HOLD"

func hold(dir string) error {
	w, err := openWriter(context.Background(), filepath.Join(dir, fileName))
	if err != nil {
		return err
	}
	if _, err := w.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// holder starts a process that holds the write lock; release ends it.
func holder(t *testing.T, dir string) (pid int, release func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	t.Cleanup(func() { _ = in.Close() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd.Process.Pid, func() { _ = in.Close() }
}

func someBatch(revision int64) *sched.Changes {
	return &sched.Changes{Revision: revision, Meta: sched.Meta{NextTask: 9, NextBatch: 9, NextLease: 9, NextSession: 9, NextEvent: 9},
		NewBatches: []sched.BatchRecord{{ID: candor.BatchID(revision), Name: "b", State: candor.BatchActive, CreatedAt: noon}}}
}

func TestHolderOfTheLockIsNamed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Patience: 300 * time.Millisecond})
	pid, release := holder(t, dir)
	want := fmt.Sprintf("pid %d (", pid)
	if runtime.GOOS != "linux" {
		want = "locked for"
	}
	err := s.Commit(t.Context(), someBatch(1))
	refused(t, err, candor.CodeStoreBusy, "candor.db is locked for", "nothing is lost")
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%v: want %q", err, want)
	}

	s.opts.Patience = time.Minute
	done := make(chan error)
	go func() { done <- s.Commit(t.Context(), someBatch(1)) }()
	for tick := time.NewTicker(time.Millisecond); !s.Stats().Waiting; <-tick.C {
	}
	if runtime.GOOS == "linux" && !strings.Contains(s.Stats().Holder, want) {
		t.Errorf("while it waits: %+v", s.Stats())
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Waiting || st.Last <= 0 || (runtime.GOOS == "linux" && !strings.Contains(st.Holder, want)) {
		t.Errorf("after the wait: %+v", st)
	}
	if err := s.Commit(t.Context(), someBatch(2)); err != nil || s.Stats().Holder != "" {
		t.Errorf("the next commit: %v, %+v", err, s.Stats())
	}
}

func TestFullStoreRefusesAndGoesOn(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	pages, err := s.w.number(`PRAGMA page_count`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.w.number(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+40)); err != nil {
		t.Fatal(err)
	}
	revision := int64(1)
	for ; ; revision++ {
		c := someBatch(revision)
		c.NewBatches[0].PlanDir = strings.Repeat("x", 9000)
		if err = s.Commit(t.Context(), c); err != nil {
			break
		}
	}
	refused(t, err, candor.CodeStoreFull, "no room", "make room")
	list, err := s.Batches(t.Context(), candor.BatchQuery{Limit: 1000})
	if err != nil || len(list) != int(revision-1) || len(list) == 0 {
		t.Fatalf("%d batches after %d commits, %v", len(list), revision-1, err)
	}
	if _, err := s.w.number(`PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), someBatch(revision)); err != nil {
		t.Fatalf("with room again: %v", err)
	}
}

func TestLogStaysBounded(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for i := range int64(600) { // 600 commits of 100 kB each
		c := someBatch(i + 1)
		c.NewBatches[0].PlanDir = strings.Repeat("x", 100_000)
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(s.file + "-wal")
	if err != nil || info.Size() > 40<<20 {
		t.Errorf("the log holds %d bytes, %v", info.Size(), err)
	}
}
