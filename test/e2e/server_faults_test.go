//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// one is a step of one row of the model m, that is not tried again.
func one(more ...string) string { return several("[1]", more...) }

func several(items string, more ...string) string {
	text := "ask:\n\tretries: 0\n"
	for _, l := range append([]string{"class: llm", "model: m", "foreach: {items: " + items + "}", `prompt: "Say {{ item }}."`, "max_tokens: 50"}, more...) {
		text += "\t" + l + "\n"
	}
	return text
}

// warm has a worker load m and answer a row.
func (f *farm) warm() {
	f.t.Helper()
	if b := f.ends(f.submit("warm", one())); b.Outcome != candor.OutcomeSucceeded {
		f.t.Fatalf("the first row: %v", b.Counts)
	}
}

// free wants a batch to have succeeded although some of its attempts did not,
// none of them counted, and returns those.
func (f *farm) free(b candor.Batch) []candor.Attempt {
	f.t.Helper()
	if b.Outcome != candor.OutcomeSucceeded {
		f.t.Errorf("the batch ended with %v", b.Counts)
	}
	var failed []candor.Attempt
	for _, task := range f.tasks(b.ID) {
		if task.Counted != 0 {
			f.t.Errorf("%s: %d attempts counted", task.ID, task.Counted)
		}
		for _, a := range f.attempts(task.ID) {
			if a.Outcome == candor.AttemptDone {
				continue
			}
			if a.Counted || a.Outcome != candor.AttemptTransient && a.Outcome != candor.AttemptAborted {
				f.t.Errorf("%s, attempt %d on %s: %s, counted %v", task.ID, a.Number, a.Worker, a.Outcome, a.Counted)
			}
			failed = append(failed, a)
		}
	}
	if len(failed) == 0 {
		f.t.Error("no attempt failed: the fault hit nobody")
	}
	return failed
}

// waitsAgain waits until all tasks of a batch are queued, and none of them for
// the time of its next try.
func (f *farm) waitsAgain(id candor.BatchID) []candor.Task {
	f.t.Helper()
	var tasks []candor.Task
	f.until("the tasks of "+id.String()+" are back in the queue", func() bool {
		tasks = f.tasks(id)
		return !slices.ContainsFunc(tasks, func(t candor.Task) bool {
			return t.State != candor.TaskQueued || f.why(t.ID.String()).Reason.Code == candor.ReasonBackoff
		})
	})
	return tasks
}

// TestF27Hung: a model server whose API answers while no token comes is started
// again, and the tasks on it are returned without penalty.
func TestF27Hung(t *testing.T) {
	t.Parallel()
	f := keeper(t, light("m"), settings{"models.token_patience": "2s"})
	f.brain()
	f.work("worker-1")
	f.warm()
	before := f.ollamas("worker-1")
	f.misbehaves("worker-1", simrt.Fault{Kind: simrt.Hang, After: 2})
	let := f.sign("hold") // the next one says nothing for a while
	id := f.submit("hung", several("[1, 2, 3]"))
	f.serverIs("worker-1", candor.ServerStarting, 1)
	told := []string{"worker-1", "has not produced a token for", "though its API answers", "1 restart so far"}
	for _, task := range f.waitsAgain(id) {
		f.saysWhy(task.ID.String(), candor.ReasonServerStarting, candor.MoverSystem, told...)
	}
	f.saysWhy("worker-1", candor.ReasonServerStarting, candor.MoverSystem, told...)
	f.once(candor.EventServerDown, "worker-1 is down", "has not produced a token for", "though its API answers")
	let()
	b := f.ends(id)
	for _, a := range f.free(b) {
		f.reason(a.Reason, candor.ReasonServerHung, candor.MoverSystem, "has not produced a token for")
	}
	f.everyRowOnce(b, "ask", 3)
	f.serverIs("worker-1", candor.ServerUp, 1)
	if after := f.ollamas("worker-1"); len(before) != 1 || len(after) != 1 || before[0].pid == after[0].pid {
		t.Errorf("its Ollama was %v and is %v", before, after)
	}
}

// TestF27HungAttached: a server that somebody else runs is not restarted, but
// its tasks go elsewhere, and it counts again when a token comes.
func TestF27HungAttached(t *testing.T) {
	t.Parallel()
	change := swift()
	change["models.token_patience"] = "2s"
	f := newFarm(t, change)
	f.brain()
	sick := simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{light("m")}})
	f.serves("worker-1", sick)
	f.warm()
	sick.orders(t, simrt.Fault{Kind: simrt.Hang})
	id := f.submit("hung", one())
	f.serverIs("worker-1", candor.ServerDown, 0)
	task := f.waitsAgain(id)[0].ID.String()
	told := []string{"worker-1", "has not produced a token for", "though its API answers"}
	f.saysWhy(task, candor.ReasonServerHung, candor.MoverSystem, told...)
	f.saysWhy("worker-1", candor.ReasonServerHung, candor.MoverSystem, told...)
	f.once(candor.EventServerDown, "worker-1 is down", "though its API answers", "has not produced a token for")
	f.serves("worker-2", simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{light("m")}}))
	b := f.ends(id)
	f.free(b)
	if r := f.onlyRow(b, "ask"); r.Worker != "worker-2" || len(r.Answer) == 0 {
		t.Errorf("the row: %+v", r)
	}
	sick.Clear()
	f.serverIs("worker-1", candor.ServerUp, 0)
}

// TestF28Killed: a model server that is killed in the middle of a request is
// started again and counted, and the row is answered elsewhere.
func TestF28Killed(t *testing.T) {
	t.Parallel()
	f := keeper(t, light("m"), nil)
	f.brain()
	f.work("worker-1")
	f.warm()
	f.misbehaves("worker-1", simrt.Fault{Kind: simrt.Hang, After: 3})
	id := f.submit("killed", one())
	f.until("the answer has begun", func() bool {
		w := f.worker("worker-1")
		return len(w.Running) == 1 && w.Running[0].Progress.Kind == "tokens"
	})
	let := f.sign("hold")
	f.serves("worker-2", simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{light("m")}}))
	for _, p := range f.ollamas("worker-1") {
		p.kill()
	}
	b := f.ends(id)
	for _, a := range f.free(b) {
		f.reason(a.Reason, candor.ReasonServerGone, candor.MoverSystem, "KILL (9)")
	}
	if r := f.onlyRow(b, "ask"); r.Worker != "worker-2" || len(r.Answer) == 0 {
		t.Errorf("the row: %+v", r)
	}
	pinned := f.submit("pinned", one("requires: {worker: worker-1}"))
	f.serverIs("worker-1", candor.ServerStarting, 1)
	told := []string{"worker-1", "ollama", "KILL (9)", "1 restart so far"}
	f.saysWhy(f.tasks(pinned)[0].ID.String(), candor.ReasonServerStarting, candor.MoverSystem, told...)
	f.saysWhy("worker-1", candor.ReasonServerStarting, candor.MoverSystem, told...)
	f.once(candor.EventServerDown, "Model server of worker-1 is down", "KILL (9)")
	let()
	if b := f.ends(pinned); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("after the restart: %v", b.Counts)
	}
	f.once(candor.EventServerUp, "worker-1", "1 restart")
}

// TestF28OutOfService: a model server that falls again and again is left alone
// after nine restarts, and a person is told what to do. The worker goes on with
// what needs no model.
func TestF28OutOfService(t *testing.T) {
	t.Parallel()
	f := keeper(t, light("m"), nil)
	f.brain()
	f.hastens("worker-1")
	f.warm()
	heal := f.sign("die")
	for _, p := range f.ollamas("worker-1") {
		p.kill()
	}
	s := f.serverIs("worker-1", candor.ServerOut, 9)
	if !hasAll(s.Text, []string{"9 restarts in 40m", "no such card"}) {
		t.Errorf("it is out of service: %s", s.Text)
	}
	id := f.submit("later", one())
	told := []string{"worker-1", "ollama is out", "9 restarts in 40m", "exit 3", "no such card"}
	f.saysWhy(f.tasks(id)[0].ID.String(), candor.ReasonServerOut, candor.MoverOperator, told...)
	x := f.saysWhy("worker-1", candor.ReasonServerOut, candor.MoverOperator, told...)
	f.once(candor.EventServerDown, "Model server of worker-1 is out", "9 restarts")
	if b := f.ends(f.submit("cpu", "a: {run: \"true\"}")); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("a task without a model: %v", b.Counts)
	}
	heal()
	f.does(x.Reason.Next)
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("after a person has acted: %v", b.Counts)
	}
}

// does what an explanation says is next.
func (f *farm) does(next string) {
	f.t.Helper()
	words := strings.Fields(next)
	if len(words) < 2 || words[0] != "candor" {
		f.t.Fatalf("the next command is %q", next)
	}
	f.candor(words[1:]...).ok()
}

// watchful are settings under which a model must be on the card as a whole, and
// a load that failed is tried again soon.
func watchful() settings {
	s := swift()
	s["models.on_gpu"], s["placement.retry"] = "require", "1s"
	return s
}

// comesToSay is saysWhy for a reason that is the current one now and then.
func (f *farm) comesToSay(target string, code candor.ReasonCode, mover candor.Mover, words ...string) candor.Explanation {
	f.t.Helper()
	var x candor.Explanation
	f.until(fmt.Sprintf("why %s says %s", target, code), func() bool {
		x = f.why(target)
		return x.Reason.Code == code
	})
	f.reason(&x.Reason, code, mover, words...)
	return x
}

// TestF29OnCPU: a model that a server puts into the memory of the CPU was not
// loaded: nothing is asked of it, it does not stay, and what is the matter is
// said with numbers. When there is room again, it is loaded.
func TestF29OnCPU(t *testing.T) {
	t.Parallel()
	f := newFarm(t, watchful())
	f.brain()
	s := simulate(t, simrt.Options{VRAM: 6 << 30, RAM: 64 << 30, Slots: 1, Models: []simrt.Model{light("m")}})
	f.serves("worker-1", s)
	for _, share := range []float64{0, 0.25} {
		s.orders(t, simrt.Fault{Kind: simrt.OnCPU, Share: share})
		id := f.submit("cpu", one())
		told := []string{"worker-1", "model m:latest has", "of 4 GiB on the GPU", fmt.Sprintf("%.0f %%", 100*share), "the rest runs on the CPU"}
		task := f.tasks(id)[0].ID.String()
		f.comesToSay(task, candor.ReasonPlaceBackoff, candor.MoverOperator, told...)
		f.comesToSay("worker-1", candor.ReasonPlaceBackoff, candor.MoverOperator, told...)
		if got := f.attempts(f.tasks(id)[0].ID); len(got) != 0 || len(f.server("worker-1").Models) != 0 {
			t.Errorf("%d attempts; on the server are %v", len(got), f.server("worker-1").Models)
		}
		if all := f.events(candor.EventOrderFailed); !slices.ContainsFunc(all, func(e candor.Event) bool {
			return e.Reason == candor.ReasonModelOnCPU && hasAll(e.Text, told)
		}) {
			t.Errorf("no order failed with %q: %v", told, all)
		}
		s.Clear()
		if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
			t.Errorf("with room on the card: %v", b.Counts)
		}
		f.candor("model", "unload", "m").ok()
	}
}

// TestF29Slow: what a server says of its memory may be wrong. A model that writes
// at a fraction of its usual rate was not loaded either.
func TestF29Slow(t *testing.T) {
	t.Parallel()
	f := newFarm(t, watchful())
	f.brain()
	m := light("m")
	m.Rate, m.Length = 100, 20
	s := simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{m}})
	f.serves("worker-1", s)
	if b := f.ends(f.submit("usual", several(numbers(16)))); b.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("the first rows: %v", b.Counts)
	}
	f.candor("model", "unload", "m").ok()
	s.orders(t, simrt.Fault{Kind: simrt.OnCPU, Share: 1})
	id := f.submit("slow", one())
	task := f.tasks(id)[0].ID.String()
	x := f.comesToSay(task, candor.ReasonPlaceBackoff, candor.MoverOperator, "worker-1", "model m", "tokens per second instead of")
	var is, usual float64
	if _, rates, ok := strings.Cut(x.Reason.Text, " writes "); !ok {
		t.Errorf("no rates: %s", x.Reason.Text)
	} else if _, err := fmt.Sscanf(rates, "%g tokens per second instead of %g", &is, &usual); err != nil || is > 12 || usual < 3*is {
		t.Errorf("%g instead of %g, %v: %s", is, usual, err, x.Reason.Text)
	}
	s.Clear()
	if b := f.ends(id); b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("with a card again: %v", b.Counts)
	}
}
