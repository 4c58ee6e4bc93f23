//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/client"
)

// TestF33: on a full disk new work is refused with the reason; nothing that was
// acknowledged is lost, and work goes on by itself when there is room.
func TestF33DiskFull(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	b := f.brainOn4MB()
	kept := f.submit("kept", `
		a: {foreach: {items: [1, 2, 3]}, run: "true"}
	`)
	ballast := filepath.Join(b.state, "ballast")
	fill(t, ballast)
	var r result
	f.until("there is no room left", func() bool { // the log of the store may have kept some
		r = f.candor("submit", filepath.Join(f.dir, "kept.yaml"))
		return r.code != 0
	})
	before, err := f.c.Batches(t.Context(), candor.BatchQuery{})
	if err != nil {
		t.Fatal(err)
	}
	r.exits(75).says("no room on the disk", "hint: make room")
	for range 3 {
		f.candor("submit", filepath.Join(f.dir, "kept.yaml")).exits(75)
	}
	st, err := f.c.Status(t.Context())
	if err != nil || st.Trouble == "" {
		t.Errorf("the brain does not own its trouble: %+v, %v", st, err)
	}
	if x := f.why(f.tasks(kept)[0].ID.String()); !strings.Contains(x.Trouble, "no room on the disk") {
		t.Errorf("why does not say it: %+v", x)
	}
	if err := f.c.Health(t.Context()); err == nil {
		t.Error("a brain that cannot commit says that it is well")
	}
	if got, err := f.batch(kept); err != nil || got.Total != 3 {
		t.Errorf("the acknowledged batch is %+v, %v", got, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	f.until("the brain is well again, though nobody asks for anything", func() bool { return f.c.Health(t.Context()) == nil })
	f.candor("submit", filepath.Join(f.dir, "kept.yaml")).ok()
	after, err := f.c.Batches(t.Context(), candor.BatchQuery{})
	if err != nil || len(after) != len(before)+1 {
		t.Errorf("%d batches before, %d after one more (%v)", len(before), len(after), err)
	}
	f.work("worker-1", "--brain", b.url, "--state", filepath.Join(f.dir, "w"))
	for _, batch := range after {
		if got := f.ends(batch.ID); got.Outcome != candor.OutcomeSucceeded {
			t.Errorf("%s ended %s: %v", batch.ID, got.Outcome, got.Counts)
		}
	}
}

// small is a brain whose state directory is a small disk.
type small struct {
	state string // as this process sees it
	url   string
}

// brainOn4MB starts a brain on a file system of 4 MB, mounted in a name space of
// the brain's own, as root or, for others, as root of a user name space; the
// farm's client and commands talk to it by TCP.
func (f *farm) brainOn4MB() small {
	f.t.Helper()
	if err := os.MkdirAll(f.state, 0o700); err != nil {
		f.t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
	}
	p := f.launchWith("brain", func(cmd *exec.Cmd) { cmd.SysProcAttr = attr }, f.env(), "/bin/sh", "-c",
		`mount -t tmpfs -o size=4m,mode=700 tmpfs "$1" && exec "$2" brain --listen 127.0.0.1:0`, "sh", f.state, program)
	b := small{state: fmt.Sprintf("/proc/%d/root%s", p.pid(), f.state)}
	outside := f.state
	f.state = b.state // where the log is read from
	b.url = "http://" + f.listening()
	f.state = outside
	f.c.Close()
	var err error
	if f.c, err = client.New(client.Options{URL: b.url}); err != nil {
		f.t.Fatal(err)
	}
	f.vars = append(f.vars, "CANDOR_BRAIN_URL="+b.url)
	return b
}

// fill writes a file until the disk has no room.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 64 << 10; size > 0; {
		_, err := file.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 4
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			t.Fatal(err)
		}
	}
}

// TestStateMovedAway: a brain whose state directory was moved under it keeps
// nothing, says so, and goes on when it is back.
func TestStateMovedAway(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain("--listen", "127.0.0.1:0")
	f.vars = append(f.vars, "CANDOR_BRAIN_URL=http://"+f.listening())
	f.work("worker-1", "--state", filepath.Join(f.dir, "w"))
	kept := f.submit("kept", `
		a: {run: "true"}
	`)
	f.ends(kept)
	if err := os.Rename(f.state, f.state+".away"); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(f.dir, "kept.yaml")
	for range 2 {
		f.candor("submit", plan).exits(69).says("was moved or removed: nothing can be kept", "hint: put it back")
	}
	for _, args := range [][]string{{"status"}, {"why", "worker-1"}} {
		if r := f.candor(args...).ok(); !strings.Contains(r.out, "was moved or removed: nothing can be kept") {
			t.Errorf("%q does not say it:\n%s", args, r.out)
		}
	}
	if err := os.Rename(f.state+".away", f.state); err != nil {
		t.Fatal(err)
	}
	f.until("the brain is well again", func() bool { return f.c.Health(t.Context()) == nil })
	f.candor("submit", plan, "--wait").ok()
	if all, err := f.c.Batches(t.Context(), candor.BatchQuery{}); err != nil || len(all) != 2 {
		t.Errorf("%d batches, want the one before and the one after (%v)", len(all), err)
	}
}

// TestStoppedBrain: who asks a brain that is stopped hears so within seconds, with
// what wakes it, and so does who asks doctor; the answer comes when it is awake.
func TestStoppedBrain(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	b := f.brain()
	b.signal(syscall.SIGSTOP)
	word := fmt.Sprintf("the brain is stopped, not dead (pid %d, SIGSTOP): kill -CONT %d wakes it", b.pid(), b.pid())
	status := f.start("status", "status")
	f.within(20*time.Second, "it is said who is stopped", func() bool { return strings.Contains(status.output(), word) })
	if doctor := f.candor("doctor"); !strings.Contains(doctor.out, word) {
		t.Errorf("doctor does not say %q:\n%s%s", word, doctor.out, doctor.talk)
	}
	b.signal(syscall.SIGCONT)
	if code := status.wait(); code != 0 {
		t.Errorf("status left with %d: %s", code, status.output())
	}
}
