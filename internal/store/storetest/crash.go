package storetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"candor"
	"candor/internal/sched"
	"candor/internal/store"
)

// PlaceEnv names the variable by which a test binary is asked, before anything
// else, to call Hammer on the state at the place it holds.
const PlaceEnv = "CANDOR_STORETEST_PLACE"

// crashTasks is how many tasks the batch of the crash test has.
const crashTasks = 4000

// testCrash kills a process while it commits, again and again. What it was told
// is there afterwards, and nothing is there by halves.
func testCrash(t *testing.T, f Factory) {
	w := open(t, f)
	w.submit("crash", crashTasks)
	for _, acknowledged := range []int64{1, 7, 40, 3, 100} {
		start := w.revision
		if err := w.s.Close(); err != nil {
			t.Fatal(err)
		}
		told := hammerUntil(t, f.Place, start+acknowledged)
		w.s = nil
		w.reopen()
		if w.revision < told || w.revision > told+1 {
			t.Fatalf("revision %d was acknowledged, the store holds %d", told, w.revision)
		}
		checkHammered(t, w)
	}
}

// hammerUntil runs a child that commits until it has acknowledged a revision,
// kills it, and returns the last revision it acknowledged.
func hammerUntil(t *testing.T, place string, want int64) int64 {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), PlaceEnv+"="+place)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := int64(0)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if told, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if told == want {
			_ = cmd.Process.Kill() // what it still says was acknowledged too
		}
	}
	if err := cmd.Wait(); err == nil || told < want {
		t.Fatalf("the child ended by itself: %v, at revision %d of %d", err, told, want)
	}
	return told
}

// Hammer commits in a loop, as a brain does, and says each revision that was
// acknowledged. With each commit two tasks are claimed, the two before them
// completed, and two events told. It returns when the batch is through.
func Hammer(s store.Store, out io.Writer) error {
	snap, err := s.Load(bg())
	if err != nil {
		return err
	}
	tasks := snap.Batches[0].Tasks
	w := &world{s: s, meta: snap.Meta, revision: snap.Revision}
	for i := int(w.revision) - 1; 2*i+1 < len(tasks); i++ {
		c := &sched.Changes{}
		for k := 2 * i; k < 2*i+2; k++ {
			c.Tasks = append(c.Tasks, w.claim(tasks[k], "worker-1"))
			if k >= 2 {
				c.Tasks = append(c.Tasks, end(stored(tasks[k-2]), candor.TaskComplete))
			}
			tasks[k] = c.Tasks[len(c.Tasks)-1]
			if k >= 2 {
				tasks[k] = c.Tasks[len(c.Tasks)-2]
			}
			c.Events = append(c.Events, candor.Event{Seq: w.meta.NextEvent, At: noon(), Level: candor.LevelInfo, Code: candor.EventTaskClaimed, Task: tasks[k].ID})
			w.meta.NextEvent++
		}
		if err := w.try(c); err != nil {
			return err
		}
		fmt.Fprintln(out, w.revision)
	}
	return nil
}

// checkHammered checks that the store holds exactly what so many commits make.
func checkHammered(t *testing.T, w *world) {
	t.Helper()
	tasks := w.load().Batches[0].Tasks
	commits := int(w.revision) - 1
	for k, r := range tasks {
		want := candor.TaskQueued
		switch {
		case k < 2*commits-2:
			want = candor.TaskComplete
		case k < 2*commits:
			want = candor.TaskProcessing
		}
		if r.State != want {
			t.Fatalf("after %d commits task %d is %s, want %s", commits, k, r.State, want)
		}
	}
	b, err := w.s.Batch(bg(), tasks[0].Batch)
	if err != nil || b.Counts[candor.TaskComplete] != max(0, 2*commits-2) {
		t.Fatalf("after %d commits the batch counts %v (%v)", commits, b.Counts, err)
	}
	events, err := w.s.Events(bg(), candor.EventQuery{Limit: 2 * crashTasks})
	if err != nil || len(events) != 2*commits {
		t.Fatalf("after %d commits there are %d events (%v)", commits, len(events), err)
	}
}
