//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
)

// TestToolsOfThePath: any program on a worker's PATH counts, one that is installed
// while the worker runs, too; and a brain that was killed asks for them again.
func TestToolsOfThePath(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	bin := filepath.Join(f.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	f.vars = []string{"PATH=" + filepath.Dir(program) + ":" + bin + ":" + os.Getenv("PATH")}
	brain := f.brain()
	f.work("worker-1")
	f.joined("worker-1")
	b := f.ends(f.submit("shell", "a: {run: 'true', requires: {tools: [sh, env]}}"))
	if n := b.Counts[candor.TaskComplete]; n != 1 {
		t.Errorf("of a task that needs sh %d are complete", n)
	}

	plan := f.plan("odd", "a: {run: odd-tool, requires: {tools: [odd-tool]}}")
	if out := f.candor("preview", plan).out; !strings.Contains(out, "worker-1 lacks tool odd-tool") {
		t.Errorf("preview says\n%s", out)
	}
	f.candor("submit", plan).says("worker-1 lacks tool odd-tool")
	id := f.submit("odd", "a: {run: odd-tool, requires: {tools: [odd-tool]}}")
	f.saysWhy(f.task(id, "a").ID.String(), candor.ReasonUnplaceable, candor.MoverYou, "worker-1 lacks tool odd-tool")
	f.write(filepath.Join(bin, "odd-tool"), "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(bin, "odd-tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.reaches(id, "a", candor.TaskComplete)
	f.logged("worker-1", 1, "Programs on the PATH: odd-tool came")

	brain.kill()
	f.brain()
	f.ends(f.submit("again", "a: {run: 'true', requires: {tools: [odd-tool]}}"))
}
