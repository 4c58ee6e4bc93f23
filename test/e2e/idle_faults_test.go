//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
)

// tool puts a program on the PATH of what the farm runs from now on.
func (f *farm) tool(name string) {
	f.t.Helper()
	path := f.write(filepath.Join("bin", name), "#!/bin/sh\n")
	if err := os.Chmod(path, 0o755); err != nil {
		f.t.Fatal(err)
	}
	f.vars = []string{"PATH=" + filepath.Dir(path) + string(filepath.ListSeparator) + os.Getenv("PATH")}
}

// TestF07CapabilityMissing: no worker has the tool or the label that a task
// requires. That is said at submission and asked later: by how many it is refused,
// what of all it requires is missing, and what may have been meant. A worker that
// has it ends it.
func TestF07CapabilityMissing(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	f.tool("whisper-cli")
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		f.work(name, "--tools", "sh,whisper-cli", "--labels", "bigdisk")
	}
	path := f.plan("deaf", `
		hears: {run: "true", requires: {tools: [sh, whisper]}}
		keeps: {run: "true", requires: {labels: [bigdisc]}}
	`)
	tool := []string{"fits on 0 of 3 workers: worker-1, worker-2, worker-3 lack tool whisper (did you mean whisper-cli?)"}
	label := []string{"fits on 0 of 3 workers: worker-1, worker-2, worker-3 lack label bigdisc (did you mean bigdisk?)"}
	var reply candor.SubmitReply
	f.candor("submit", path, "--json").ok().says(tool...).says(label...).json(&reply)
	hears, keeps := f.task(reply.Batch, "hears"), f.task(reply.Batch, "keeps")
	f.saysWhy(hears.ID.String(), candor.ReasonUnplaceable, candor.MoverYou, tool...)
	x := f.saysWhy(keeps.ID.String(), candor.ReasonUnplaceable, candor.MoverYou, label...)
	if len(x.Workers) != 3 {
		t.Fatalf("%d workers are asked", len(x.Workers))
	}
	for _, w := range x.Workers {
		if w.Verdict != candor.VerdictNever {
			t.Errorf("%s says %s", w.Worker, w.Verdict)
		}
	}
	w := f.why("worker-2")
	if w.Reason.Mover != candor.MoverYou || !strings.Contains(w.Reason.Text, "2 queued tasks") {
		t.Errorf("worker-2: %s, the move is %s's: %s", w.Reason.Code, w.Reason.Mover, w.Reason.Text)
	}
	f.tool("whisper")
	f.work("worker-4", "--tools", "sh,whisper", "--labels", "bigdisc")
	f.ends(reply.Batch)
	for _, name := range []string{"hears", "keeps"} {
		if done := f.task(reply.Batch, name); done.Worker != "worker-4" || done.Attempt != 1 {
			t.Errorf("%s: on %s, attempt %d", name, done.Worker, done.Attempt)
		}
	}
}
