//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor"
)

// TestF40: a failed need blocks its dependants by name and last error; a retry
// of it revives them under their own ids.
func TestF40DependencyFailed(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	id := f.submit("chain", `
		first:
		  run: test -e `+f.dir+`/mended || { echo the disk is not there >&2; exit 3; }
		  retries: 2
		second: {needs: [first], run: "true"}
		third: {needs: [second], run: "true"}
	`)
	if b := f.ends(id); b.Outcome != candor.OutcomeFailed || b.Counts[candor.TaskFailed] != 1 || b.Counts[candor.TaskCancelled] != 2 {
		t.Fatalf("the batch ended %s with %v", b.Outcome, b.Counts)
	}
	first := f.task(id, "first")
	f.saysWhy(first.ID.String(), candor.ReasonExitCode, candor.MoverYou, "exit 3", "the disk is not there")
	if n := len(f.attempts(first.ID)); n != 3 {
		t.Errorf("first was tried %d times, want 3", n)
	}
	for _, name := range []string{"second", "third"} {
		x := f.saysWhy(f.task(id, name).ID.String(), candor.ReasonNeedFailed, candor.MoverYou, "first", first.ID.String(), "exit 3", "the disk is not there")
		if x.Reason.Next != "candor retry "+first.ID.String() {
			t.Errorf("%s: next is %q", name, x.Reason.Next)
		}
	}
	f.once(candor.EventTaskFailed, first.ID.String())

	before := f.tasks(id)
	f.write("mended", "")
	f.candor("retry", first.ID.String()).ok()
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("after the retry: %s, %v", b.Outcome, b.Counts)
	}
	for i, task := range f.tasks(id) {
		if task.ID != before[i].ID || task.Name != before[i].Name {
			t.Errorf("%s was %s, is %s", task.Name, before[i].ID, task.ID)
		}
	}
}

// TestF41: everything wrong with a plan is refused at submission with its place
// and a suggestion, and nothing is created.
func TestF41WrongPlan(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	for _, c := range []struct {
		name, plan string
		place      string
		says       []string
	}{
		{"unknown dependency", "name: p\ntasks:\n  extract: {run: 'true'}\n  index:\n    needs: [extrct]\n    run: 'true'\n", ":5:13:", []string{"extrct", "extract"}},
		{"cycle", "name: p\ntasks:\n  a: {run: 'true', needs: [b]}\n  b: {run: 'true', needs: [a]}\n", ":4:28:", []string{"a → b → a"}},
		{"unknown key", "name: p\ntasks:\n  a:\n    run: 'true'\n    retrys: 2\n", ":5:5:", []string{"retrys", "retries"}},
		{"missing input", "name: p\ninputs:\n  folder: {type: path}\ntasks:\n  a: {run: 'true'}\n", ":3:3:", []string{"folder"}},
		{"unresolved variable", "name: p\ninputs:\n  folder: {type: string, default: x}\ntasks:\n  a:\n    run: 'true'\n    foreach: {glob: '{{ inputs.foldr }}/*'}\n", ":7:22:", []string{"foldr", "folder"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := f.write("wrong.yaml", c.plan)
			for _, verb := range []string{"submit", "validate", "preview", "run"} {
				r := f.candor(verb, path).exits(2).says(c.says...).says(path+c.place, "^")
				if r.out != "" {
					t.Errorf("%s prints %q", verb, r.out)
				}
			}
			if all, err := f.c.Batches(t.Context(), candor.BatchQuery{}); err != nil || len(all) != 0 {
				t.Errorf("batches: %+v, %v", all, err)
			}
			if all := f.events(candor.EventBatchSubmitted); len(all) != 0 {
				t.Errorf("events: %+v", all)
			}
		})
	}
}

// TestF42: an empty manifest is complete, says so, and releases its dependants.
func TestF42ZeroItems(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("empty", `
		scan: {run: "echo '{\"files\": []}' > m.json", outputs: {manifest: m.json}}
		each: {foreach: {from: scan.manifest, path: files}, run: "true"}
		index: {needs: [each], run: "echo made > index.txt", outputs: {index: index.txt}}
	`)
	b := f.ends(id)
	if b.Outcome != candor.OutcomeSucceeded || b.Total != 2 {
		t.Fatalf("%s, %d tasks: %v", b.Outcome, b.Total, b.Counts)
	}
	for _, s := range b.Steps {
		if s.Name == "each" && (!s.Expanded || s.Total != 0) {
			t.Errorf("each: %+v", s)
		}
	}
	f.once(candor.EventBatchExpanded, "each", "0 items")
	if r := f.candor("show", id.String()).ok(); !strings.Contains(r.out, "0 items") {
		t.Errorf("show does not say 0 items:\n%s", r.out)
	}
}

// TestF43: a manifest that is not what was said fails its task with what was
// found there.
func TestF43ManifestNotAList(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	for name, c := range map[string]struct {
		write string
		code  candor.ReasonCode
		words []string
	}{
		"number": {`echo '{"files": 42}' > m.json`, candor.ReasonManifestBad, []string{"files", "number", "42"}},
		"broken": {`echo '{"files": [1, 2' > m.json`, candor.ReasonManifestBad, []string{"JSON"}},
		"absent": {`echo '{"paths": []}' > m.json`, candor.ReasonManifestBad, []string{"files"}},
		"toomany": {`awk 'BEGIN {printf "{\"files\": [0"; for (i = 1; i <= 100000; i++) printf ",%d", i; print "]}"}' > m.json`,
			candor.ReasonManifestLarge, []string{"100,001", "100,000"}},
	} {
		id := f.submit(name, fmt.Sprintf(`
			scan:
			  run: %q
			  outputs: {manifest: m.json}
			  retries: 3
			each: {foreach: {from: scan.manifest, path: files}, run: "true"}
		`, c.write))
		if b := f.ends(id); b.Outcome != candor.OutcomeFailed {
			t.Errorf("%s: the batch ended %s", name, b.Outcome)
		}
		scan := f.task(id, "scan")
		f.saysWhy(scan.ID.String(), c.code, candor.MoverYou, c.words...)
		f.once(candor.EventTaskFailed, scan.ID.String())
	}
}

// TestF44: exit 0 without the declared output is a failure that names it.
func TestF44OutputMissing(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	id := f.submit("forgets", `
		a: {run: "echo done", outputs: {out: out.json}}
	`)
	f.ends(id)
	task := f.task(id, "a")
	if task.State != candor.TaskFailed {
		t.Errorf("the task is %s", task.State)
	}
	f.saysWhy(task.ID.String(), candor.ReasonOutputMissing, candor.MoverYou, "out.json")
	f.once(candor.EventTaskFailed, task.ID.String(), "out.json")
	if entries, _ := os.ReadDir(filepath.Join(f.state, "batches", id.String())); len(entries) != 0 {
		t.Errorf("something was published: %v", entries)
	}
}

// TestF46PoisonTask: a task that takes its worker down with it is set aside after two,
// which are named; other tasks go on.
func TestF46PoisonTask(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(3)
	// The worker is the parent of the job's shell.
	id := f.submit("poison", `
		poison: {run: "kill -9 $PPID; sleep 60"}
		innocent: {foreach: {items: [1, 2, 3, 4, 5, 6]}, run: "sleep 0.2"}
	`)
	b := f.ends(id)
	task := f.task(id, "poison")
	if b.Counts[candor.TaskComplete] != 6 || task.State != candor.TaskFailed {
		t.Fatalf("the batch ended with %v, poison is %s", b.Counts, task.State)
	}
	downed := map[string]bool{}
	for _, a := range f.attempts(task.ID) {
		downed[a.Worker] = true
		if a.Outcome != candor.AttemptLost || a.Counted {
			t.Errorf("attempt %d: %s, counted %v", a.Number, a.Outcome, a.Counted)
		}
	}
	if len(downed) != 2 {
		t.Errorf("it took down %v, want two workers", downed)
	}
	var words []string
	for w := range downed {
		words = append(words, w)
	}
	f.saysWhy(task.ID.String(), candor.ReasonPoison, candor.MoverYou, words...)
	f.once(candor.EventTaskPoison, append(words, task.ID.String())...)
}

// TestF46OneWorker: where nobody else could take it, two deaths of the one worker
// that there is are enough.
func TestF46PoisonTaskOneWorker(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"retry.poison_hold": "1s"})
	f.up(1)
	id := f.submit("poison", `
		poison: {run: "kill -9 $PPID; sleep 60"}
	`)
	f.ends(id)
	task := f.task(id, "poison")
	if task.State != candor.TaskFailed || task.Attempt != 2 {
		t.Errorf("it is %s after %d deaths", task.State, task.Attempt)
	}
	f.saysWhy(task.ID.String(), candor.ReasonPoison, candor.MoverYou, "2 workers died under it: worker-1 twice")
}

// TestF48: 75 goes elsewhere and is not counted, 78 is not tried again.
func TestF48ExitCodes(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	id := f.submit("codes", `
		transient: {run: "test \"$CANDOR_ATTEMPT\" -gt 2 || exit 75", retries: 0}
		permanent: {run: "exit 78", retries: 5}
	`)
	f.ends(id)
	transient, permanent := f.task(id, "transient"), f.task(id, "permanent")
	if transient.State != candor.TaskComplete || transient.Attempt != 3 || transient.Counted > 1 {
		t.Errorf("transient is %s after %d attempts, %d counted", transient.State, transient.Attempt, transient.Counted)
	}
	tries := f.attempts(transient.ID)
	for i, a := range tries[:2] {
		if a.Outcome != candor.AttemptTransient || a.Counted || a.Exit == nil || a.Exit.Code != 75 {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
		f.reason(a.Reason, candor.ReasonExitTransient, candor.MoverSystem, "75")
	}
	if tries[0].Worker == tries[1].Worker {
		t.Errorf("the second attempt went to %s again", tries[0].Worker)
	}
	if permanent.State != candor.TaskFailed || permanent.Attempt != 1 {
		t.Errorf("permanent is %s after %d attempts", permanent.State, permanent.Attempt)
	}
	f.saysWhy(permanent.ID.String(), candor.ReasonExitPermanent, candor.MoverYou, "78")
	f.once(candor.EventTaskFailed, permanent.ID.String(), "78")
}

// hostileNames are file names that a shell would do something with.
func hostileNames() []string {
	return []string{
		"$(touch pwned)", "`touch pwned`", `a"b`, "a'b", "a\nb", "-rf", "--help", "a b  c", "*", "?", "$HOME", "a;b", "a|b", "a&b",
		`back\slash`, "tab\there", "\x01\x02", "ünïcödé 😀", "{{ inputs.folder }}", "#comment", "~", "!event", "%s%n",
	}
}

// TestF49: file names reach commands byte for byte, as data.
func TestF49HostileNames(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	names := hostileNames()
	for _, n := range names {
		f.write(filepath.Join("files", n), n)
	}
	path := f.write("hostile.yaml", `
name: hostile
inputs: {folder: {type: path, default: files}}
tasks:
  shell:
    foreach: {glob: "{{ inputs.folder }}/*"}
    run: |
      printf %s "$ITEM" > name
      cat -- "$ITEM" > content
    outputs: {name: name, content: content}
  direct:
    foreach: {glob: "{{ inputs.folder }}/*"}
    command: [sh, -c, 'printf %s "$1" > name', sh, "{{ item }}"]
    outputs: {name: name}
`)
	var reply candor.SubmitReply
	f.candor("submit", path, "--json").ok().json(&reply)
	if b := f.ends(reply.Batch); b.Outcome != candor.OutcomeSucceeded {
		for _, task := range f.tasks(reply.Batch) {
			if task.State == candor.TaskFailed {
				t.Errorf("%s (%s): %s", task.Name, task.Item, task.Reason.Text)
			}
		}
		t.Fatalf("%s: %v", b.Outcome, b.Counts)
	}
	seen := map[string][]string{}
	for _, task := range f.tasks(reply.Batch) {
		dir := filepath.Join(f.state, "batches", reply.Batch.String(), task.Step, fmt.Sprintf("%05d", task.Index))
		var item string
		if err := json.Unmarshal(task.Item, &item); err != nil {
			t.Fatal(err)
		}
		if got := f.read(filepath.Join(dir, "name")); got != item {
			t.Errorf("%s: the command got %q for %q", task.Name, got, item)
		}
		if task.Step == "shell" {
			if got := f.read(filepath.Join(dir, "content")); got != filepath.Base(item) {
				t.Errorf("%s: the file's content is %q, want its name %q", task.Name, got, item)
			}
		}
		seen[task.Step] = append(seen[task.Step], filepath.Base(item))
	}
	for step, got := range seen {
		slices.Sort(got)
		slices.Sort(names)
		if !slices.Equal(got, names) {
			t.Errorf("%s ran over %q, want %q", step, got, names)
		}
	}
	if err := filepath.WalkDir(f.dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "pwned" {
			t.Errorf("a file name was run as a command: %s", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestF50: the same plan twice makes two batches beside each other; with a key
// the second one is refused, and nothing is deleted.
func TestF50SubmittedTwice(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	const tasks = `
		a: {run: "echo $CANDOR_TASK_ID > out", outputs: {out: out}}
	`
	one, two := f.submit("twice", tasks), f.submit("twice", tasks)
	if one == two || f.ends(one).Outcome != candor.OutcomeSucceeded || f.ends(two).Outcome != candor.OutcomeSucceeded {
		t.Errorf("%s and %s did not both succeed", one, two)
	}
	keyed := f.submit("twice", tasks, "--key", "nightly")
	r := f.candor("submit", filepath.Join(f.dir, "twice.yaml"), "--key", "nightly").exits(2).says("nightly", keyed.String())
	if r.out != "" {
		t.Errorf("a refused submission prints %q", r.out)
	}
	f.ends(keyed)
	f.candor("submit", filepath.Join(f.dir, "twice.yaml"), "--key", "nightly").exits(2).says("nightly", keyed.String())
	all, err := f.c.Batches(t.Context(), candor.BatchQuery{})
	if err != nil || len(all) != 3 {
		t.Errorf("%d batches, want 3 (%v)", len(all), err)
	}
	for _, b := range all {
		f.read(filepath.Join(b.Dir, "a", "out"))
	}
}

// TestF51: when the cancelling command returns, the children are gone; the other
// batch has not noticed.
func TestF51CancelOneOfTwo(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	// The first ignores TERM and has children of its own in other sessions.
	a := f.submit("alpha", `
		stubborn: {run: "trap '' TERM; setsid sleep 3111 & sleep 3112 & wait"}
		later: {needs: [stubborn], run: "true"}
	`)
	b := f.submit("beta", `
		calm: {run: "sleep 3113 & wait"}
	`)
	f.reaches(a, "stubborn", candor.TaskProcessing)
	f.reaches(b, "calm", candor.TaskProcessing)
	f.until("all sleepers sleep", func() bool {
		return len(f.alive("sleep 3111"))+len(f.alive("sleep 3112"))+len(f.alive("sleep 3113")) == 3
	})
	f.candor("cancel", a.String()).ok()
	if left := append(f.alive("sleep 3111"), f.alive("sleep 3112")...); len(left) > 0 {
		t.Errorf("when cancel returned, there were %v", left)
	}
	if len(f.alive("sleep 3113")) != 1 {
		t.Error("the other batch's child is gone")
	}
	batch := f.ends(a)
	if batch.Outcome != candor.OutcomeCancelled || batch.Counts[candor.TaskCancelled] != 2 {
		t.Errorf("the cancelled batch ended %s with %v", batch.Outcome, batch.Counts)
	}
	f.saysWhy(f.task(a, "stubborn").ID.String(), candor.ReasonCancelled, candor.MoverYou)
	f.once(candor.EventBatchCancelled, a.String())
	if other := f.task(b, "calm"); other.State != candor.TaskProcessing || other.Attempt != 1 {
		t.Errorf("the other batch's task is %s, attempt %d", other.State, other.Attempt)
	}
	f.candor("cancel", b.String()).ok()
}
