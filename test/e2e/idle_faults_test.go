//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
	tool := []string{"fits on 0 of 3 workers: worker-1, worker-2, worker-3 lack tool whisper among those that worker.tools offers (did you mean whisper-cli?)"}
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

// TestF11Paused: a person stops everything, a class, a batch, a worker. Task and
// worker say who did, when and why, since when they wait for it, and how to
// resume; and never that the queue is empty.
func TestF11Paused(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	f.work("worker-1")
	host, _ := os.Hostname()
	for _, c := range []struct {
		name, target string
		code         candor.ReasonCode
	}{
		{"everything", "all", candor.ReasonAllPaused},
		{"worker", "worker:worker-1", candor.ReasonWorkerPaused},
		{"class", "class:cpu", candor.ReasonClassPaused},
		{"batch", "", candor.ReasonBatchPaused},
	} {
		plan := "a: {run: 'true', needs: [gate]}\ngate: {run: 'exec sh " + f.gate("go-"+c.name) + "'}"
		id := f.submit(c.name, plan)
		f.reaches(id, "gate", candor.TaskProcessing)
		target := c.target
		if target == "" {
			target = id.String()
		}
		before := time.Now().UTC().Truncate(time.Millisecond)
		f.candor("pause", target, "--why", "power cut").ok()
		f.write("go-"+c.name, "") // what runs runs on
		f.reaches(id, "gate", candor.TaskComplete)
		f.until("the worker is idle", func() bool { return len(f.worker("worker-1").Running) == 0 })
		task := f.task(id, "a")
		if task.State != candor.TaskQueued {
			t.Errorf("%s: the task is %s", c.name, task.State)
		}
		said := []string{"paused by ", "@" + host + " at " + before.Format("2006-01-02T"), "(power cut)"}
		for _, asked := range []string{task.ID.String(), "worker-1"} {
			x := f.saysWhy(asked, c.code, candor.MoverOperator, said...)
			if next := "candor resume " + target; x.Reason.Next != next {
				t.Errorf("%s: %s: next is %q, want %q", c.name, asked, x.Reason.Next, next)
			}
			if x.Reason.Since.Before(before) {
				t.Errorf("%s: %s: since %s, and it was paused after %s", c.name, asked, x.Reason.Since, before)
			}
			if page := f.candor("why", asked).ok().out; strings.Contains(page, "othing is queued") {
				t.Errorf("%s: why %s:\n%s", c.name, asked, page)
			}
		}
		f.candor("resume", target).ok()
		f.ends(id)
	}
}

// gate writes a script that runs until a file is there.
func (f *farm) gate(file string) string {
	return f.write("gate-"+file+".sh", "while [ ! -e '"+filepath.Join(f.dir, file)+"' ]; do sleep 0.05; done\n")
}

// TestF12Backoff: a task has failed once and its next try is an hour away. It says
// when, which try that is and how it failed; the worker beside it is not idle for
// want of work. With a short pause it is tried at that time, and not before.
func TestF12Backoff(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("flaky", `
		far: {run: "echo the disk is not there >&2; exit 1", retries: 2, backoff: 1h}
	`)
	var x candor.Explanation
	far := f.task(id, "far").ID.String()
	f.until("it has failed once", func() bool { x = f.why(far); return x.Reason.Code == candor.ReasonBackoff })
	f.reason(&x.Reason, candor.ReasonBackoff, candor.MoverSystem, "next try at ", "(attempt 2 of 3), last failure: exit 1", "the disk is not there")
	at, err := time.Parse(time.RFC3339, fmt.Sprint(x.Reason.Operands["not_before"]))
	if err != nil || !strings.Contains(x.Reason.Text, candor.FormatTime(at)) {
		t.Fatalf("when is that: %v, %v", x.Reason.Operands, err)
	}
	first := f.attempts(f.task(id, "far").ID)[0]
	if pause := at.Sub(first.FinishedAt); pause < 59*time.Minute || pause > 61*time.Minute {
		t.Errorf("the next try comes %s after the first one", pause)
	}
	f.saysWhy("worker-1", candor.ReasonBackoff, candor.MoverSystem, "1 queued task", "their next try waits its time, the first at "+candor.FormatTime(at), "the disk is not there")
	f.candor("cancel", id.String()).ok()

	id = f.submit("soon", `
		near: {run: "test -e `+f.dir+`/mended || exit 1", retries: 2, backoff: 500ms}
	`)
	near := f.task(id, "near").ID
	f.until("it has failed once", func() bool { return len(f.attempts(near)) > 0 })
	f.write("mended", "")
	f.ends(id)
	tries := f.attempts(near)
	if last := tries[len(tries)-1]; last.Outcome != candor.AttemptDone || last.StartedAt.Sub(tries[len(tries)-2].FinishedAt) < 500*time.Millisecond {
		t.Errorf("the next try came at %s, the one before ended at %s", last.StartedAt, tries[len(tries)-2].FinishedAt)
	}
}

// TestF64AgeOfTheAnswer: an explanation carries the revision and the instant that
// it speaks of, and a later one a later revision: an old answer is known as old.
func TestF64AgeOfTheAnswer(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	id := f.submit("one", `
		a: {run: "true"}
	`)
	name := f.task(id, "a").ID.String()
	old := f.saysWhy(name, candor.ReasonNoWorkers, candor.MoverOperator)
	again := f.why(name)
	if old.Revision == 0 || old.At.IsZero() || again.Revision < old.Revision || !again.At.After(old.At) {
		t.Errorf("asked again, and revision %d of %s became %d of %s", old.Revision, old.At, again.Revision, again.At)
	}
	f.work("worker-1")
	f.ends(id)
	now := f.saysWhy(name, candor.ReasonDone, candor.MoverWait)
	if now.Revision <= old.Revision || !now.At.After(again.At) {
		t.Errorf("the task has ended, and revision %d of %s became %d of %s", old.Revision, old.At, now.Revision, now.At)
	}
	if page := f.candor("why", name).ok().out; !regexp.MustCompile(`(?m)^revision \d+.*, code done$`).MatchString(page) {
		t.Errorf("the page does not say how old it is:\n%s", page)
	}
}
