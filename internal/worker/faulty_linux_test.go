package worker

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"candor"
)

// TestNoMoreFilesIsTheHostsFault: a worker that may open no more files cannot
// start a command, which is no failure of the task.
func TestNoMoreFilesIsTheHostsFault(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	b.beat(t, "first", func(candor.HeartbeatRequest) bool { return true })
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) })
	few := limit
	few.Cur = uint64(len(open) + 1) // a file at a time, and no pipe beside the log
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	lease := b.add(spec(f.dir, run("true")), -1, "")
	r := b.result(t, lease)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if r.Outcome != candor.AttemptTransient || r.Reason.Code != candor.ReasonHostFault || !strings.Contains(r.Reason.Text, "too many open files") {
		t.Errorf("%s, %+v", r.Outcome, r.Reason)
	}
	if r := b.result(t, b.add(spec(f.dir, run("true")), -1, "")); r.Outcome != candor.AttemptDone {
		t.Errorf("with files to open again: %s, %+v", r.Outcome, r.Reason)
	}
}
