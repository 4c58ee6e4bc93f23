//go:build linux

package e2e

import (
	"strings"
	"testing"

	"candor"
)

// TestF45IdenticalOutputs: a job that swallows its errors ends well and writes
// the same stump for a third of its items. The step is flagged, with numbers,
// in the event, in show and in its JSON.
func TestF45IdenticalOutputs(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	id := f.submit("stumps", `
		answer:
			foreach: {items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]}
			run: |
				if [ $((ITEM % 3)) = 0 ]; then echo "error: try again" > answer.txt; else echo "answer $ITEM" > answer.txt; fi
			outputs: {answer: answer.txt}
	`)
	b := f.ends(id)
	if b.Counts[candor.TaskComplete] != 24 {
		t.Fatalf("the batch ended with %v", b.Counts)
	}
	const words = "8 of 24 outputs identical"
	f.once(candor.EventStepIdentical, words, "answer")
	var show candor.Batch
	f.candor("show", id.String(), "--json").ok().json(&show)
	if len(show.Steps) != 1 {
		t.Fatalf("show tells of %d steps", len(show.Steps))
	}
	f.reason(show.Steps[0].Flag, candor.ReasonIdentical, candor.MoverYou, words)
	if text := f.candor("show", id.String()).ok().out; !strings.Contains(text, words) {
		t.Errorf("show does not say %q:\n%s", words, text)
	}
}

// TestF45IdenticalAnswers: a prompt without its text is answered alike for every
// row. The answers are compared, of single rows and of chunks, not the results,
// which hold times; a choice out of two may well be the same for many rows.
func TestF45IdenticalAnswers(t *testing.T) {
	t.Parallel()
	f, _ := reader(t)
	ask := func(name, items string, more ...string) string {
		return name + ":\n\t" + strings.Join(append([]string{
			"class: llm", "model: m", "foreach: {items: " + items + "}", "max_tokens: 200", "options: {seed: 7}",
		}, more...), "\n\t") + "\n"
	}
	chunks := numbers(60) + ", chunk: 20"
	b := f.ends(f.submit("excuses",
		ask("single", numbers(12), "prompt: What is it about?")+
			ask("chunked", chunks, "prompt: What is it about?")+
			ask("each", chunks, `prompt: "What is {{ item }} about?"`)+
			ask("chosen", chunks, `prompt: "Is {{ item }} a talk?"`, "schema: {type: object, properties: {talk: {type: boolean}}, required: [talk], additionalProperties: false}")))
	if b.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("the batch ended with %v", b.Counts)
	}
	var show candor.Batch
	f.candor("show", b.ID.String(), "--json").ok().json(&show)
	for i, words := range []string{"12 of 12 answers identical: of step single", "60 of 60 answers identical: of step chunked", "", ""} {
		flag := show.Steps[i].Flag
		if words != "" {
			f.reason(flag, candor.ReasonIdentical, candor.MoverYou, words)
		} else if flag != nil {
			t.Errorf("step %s is flagged: %s", show.Steps[i].Name, flag.Text)
		}
	}
}

// TestF47BadWorker: every task fails on worker-2 and succeeds on worker-1. The
// worker is shut out, by name and numbers; what failed there gets its attempt
// back and completes elsewhere; it says when it is tried again, and a person may
// let the worker in before.
func TestF47BadWorker(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"retry.backoff": "10ms"})
	f.up(2)
	id := f.submit("badhost", `
		work:
			foreach: {items: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}
			run: |
				if [ "$CANDOR_WORKER" = worker-2 ]; then echo "this host is broken" >&2; exit 1; fi
				sleep 0.3
	`)
	b := f.ends(id)
	if b.Counts[candor.TaskComplete] != 20 {
		t.Fatalf("the batch ended with %v: an innocent task paid for its worker", b.Counts)
	}
	f.once(candor.EventQuarantined, "worker-2", "different tasks failed on worker-2", "0 elsewhere")
	x := f.saysWhy("worker-2", candor.ReasonQuarantined, candor.MoverSystem, "next probe ", "different tasks failed on worker-2", "0 elsewhere")
	if !strings.Contains(x.Reason.Next, "candor resume worker:worker-2") {
		t.Errorf("the next command is %q", x.Reason.Next)
	}
	f.candor("resume", "worker:worker-2").ok()
	f.soon(func() bool { return f.why("worker-2").Reason.Code != candor.ReasonQuarantined })
	if code := f.why("worker-2").Reason.Code; code == candor.ReasonQuarantined {
		t.Error("it is still shut out after resume")
	}
}
