package sched

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"candor"
)

// F40: dependants name the root and its last error; a retry revives them all,
// under their own ids.
func TestARetryRevivesWhatAFailureTookDown(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("one", retries(2)), cpu("two", needs("one")), cpu("three", needs("two"))).Batch
	ids := f.tasksOf(b)
	for range 3 {
		f.hand("w1", exit1(f.take("w1")))
		f.pass(10 * time.Second)
		f.join("w1")
	}
	for _, waiting := range ids[1:] {
		r := f.why(waiting.id)
		f.expect(r, candor.ReasonNeedFailed, "blocked by failed one ("+ids[0].id.String()+"): exit 1: no such file")
		if r.Next != "candor retry "+ids[0].id.String() {
			t.Fatalf("next: %q", r.Next)
		}
	}
	if rec := f.s.batches[b].rec; rec.State != candor.BatchComplete || rec.Outcome != candor.OutcomeFailed {
		t.Fatalf("%+v", rec)
	}
	f.do(Retry{change(ids[0].id.String())})
	for range 3 {
		f.hand("w1", done(f.take("w1")))
	}
	if rec := f.s.batches[b].rec; rec.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("%+v", rec)
	}
	if a := ids[0].attempt; a != 4 {
		t.Fatalf("attempt %d after three failures and a retry", a)
	}
}

// F40: what waits for a step that never got its items is told of the task that
// should have named them, with that task's last error, and the newest one.
func TestAStepWithoutItemsNamesWhoFailedToNameThem(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.submit(cpu("scan", func(st *candor.Step) { st.Outputs = map[string]string{"list": "list.json"} }),
		cpu("pages", needs("scan"), func(st *candor.Step) {
			st.Each = &candor.Each{From: &candor.Manifest{Step: "scan", Output: "list", Path: "files"}}
		}),
		cpu("topics", func(st *candor.Step) {
			st.Each, st.Needs = &candor.Each{Same: "pages"}, []candor.Need{{Step: "pages", Each: true}}
		}),
		cpu("index", needs("topics")), cpu("site", needs("index"))).Batch
	ids := f.tasksOf(b)
	scan, index, site := ids[0].id, ids[1].id, ids[2].id
	for _, last := range []string{"no such folder", "no such disk"} {
		f.hand("w1", ended(f.take("w1"), candor.AttemptFailed, candor.ReasonExitCode, "exit 1: "+last))
		r := f.why(index)
		f.expect(r, candor.ReasonNeedFailed, "blocked by failed scan ("+scan.String()+"): exit 1: "+last, "so pages never got its items")
		f.expect(f.why(site), candor.ReasonNeedFailed, "blocked by failed scan ("+scan.String()+"): exit 1: "+last)
		if r.Next != "candor retry "+scan.String() || r.Operands["task"] != scan.String() {
			t.Errorf("next %q, operands %v", r.Next, r.Operands)
		}
		f.do(Retry{change(scan.String())})
	}
}

// F42: no items are no failure.
func TestZeroItemsCompleteAndReleaseTheirDependants(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	each := func(st *candor.Step) { st.Each = &candor.Each{} }
	b := f.submit(cpu("none", each), cpu("after", needs("none"))).Batch
	if a := f.take("w1"); f.s.tasks.find(a.Task).name() != "after" {
		t.Fatal("not released")
	} else {
		f.hand("w1", done(a))
	}
	only := f.submit(cpu("none", each)).Batch
	for _, id := range []candor.BatchID{b, only} {
		if f.s.batches[id].rec.Outcome != candor.OutcomeSucceeded {
			t.Fatalf("%+v", f.s.batches[id].rec)
		}
	}
	told := f.told()
	has(t, told[len(told)-1].Text, "ended after 0s: 0 items")
}

func manifest(step string) func(*candor.Step) {
	return func(st *candor.Step) {
		st.Each = &candor.Each{From: &candor.Manifest{Step: step, Output: "list", Path: "files"}}
		st.Needs = append(st.Needs, candor.Need{Step: step})
	}
}

func lister(st *candor.Step) { st.Outputs = map[string]string{"list": "list.json"} }

func withItems(a candor.Assignment, n int) candor.Result {
	r := done(a)
	r.Manifests = map[string][]json.RawMessage{"scan.list:files": make([]json.RawMessage, n)}
	for i := range n {
		r.Manifests["scan.list:files"][i] = json.RawMessage("1")
	}
	return r
}

// F43: what fans out over a manifest waits for it, and a manifest that is not
// what it was said to be fails its writer, not silently "empty".
func TestManifestsFanOutOrFailTheirWriter(t *testing.T) {
	for _, c := range []struct {
		name    string
		result  func(candor.Assignment) candor.Result
		outcome candor.TaskState
		total   int
		words   string
	}{
		{"three", func(a candor.Assignment) candor.Result { return withItems(a, 3) }, candor.TaskComplete, 7, ""},
		{"none", func(a candor.Assignment) candor.Result { return withItems(a, 0) }, candor.TaskComplete, 1, ""},
		{"lacking", done, candor.TaskFailed, 1, "its result lacks the items of scan.list:files"},
		{"too many", func(a candor.Assignment) candor.Result { return withItems(a, candor.MaxItems+1) }, candor.TaskFailed, 1, "holds 100001 items; at most 100000"},
		{"a number", func(a candor.Assignment) candor.Result {
			return ended(a, candor.AttemptPermanent, candor.ReasonManifestBad, "list.json: files is a number (7), not a list")
		}, candor.TaskFailed, 1, "files is a number (7)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFarm(t, Config{})
			f.join("w1", func(in *candor.WorkerInfo) { in.Slots = 8 })
			b := f.submit(cpu("scan", lister, retries(5)), cpu("each", manifest("scan")), cpu("item", func(st *candor.Step) {
				st.Each, st.Needs = &candor.Each{Same: "each"}, []candor.Need{{Step: "each", Each: true}}
			})).Batch
			a := f.take("w1")
			if f.s.batches[b].settled() {
				t.Fatal("complete before its items were known")
			}
			f.hand("w1", c.result(a))
			if got := f.state(a.Task); got != c.outcome {
				t.Fatalf("scan is %s", got)
			}
			if got := len(f.tasksOf(b)); got != c.total {
				t.Fatalf("%d tasks, want %d", got, c.total)
			}
			if c.words != "" {
				has(t, f.why(a.Task).Text, c.words)
			}
			if ended := f.s.batches[b].rec.State == candor.BatchComplete; ended != (c.total == 1) {
				t.Fatalf("batch ended: %v", ended)
			}
		})
	}
}

func TestAnUnknownManifestIsAReasonOfItsOwn(t *testing.T) {
	f := newFarm(t, Config{})
	b := f.submit(cpu("scan", lister), cpu("each", manifest("scan")), cpu("index", needs("each"))).Batch
	f.expect(f.why(f.tasksOf(b)[1].id), candor.ReasonNeedManifest, "index waits for each, whose items are not known yet")
	f.expect(f.why(f.tasksOf(b)[0].id), candor.ReasonNoWorkers)
}

// F46: a task under which two different workers died, and nobody else between.
func TestAPoisonousTaskIsSetAside(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w2", supervised)
	f.submit(cpu("bomb"))
	a := f.take("w1")
	exited(f, "w1", true)
	f.expect(f.why(a.Task), candor.ReasonSuspect, "held back until", "w1 died under it; if another one does, it is set aside")
	f.pass(11 * time.Second)
	f.take("w2")
	f.told()
	exited(f, "w2", true)
	f.expect(f.why(a.Task), candor.ReasonPoison, "set aside after 2 workers died under it: w1, w2")
	has(t, f.toldOf(candor.EventTaskPoison), "w1, w2")
}

// A suspect that waits is cleared by a death that happens without it.
func TestASuspectIsClearedByADeathWithoutIt(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1", supervised)
	f.join("w2", supervised)
	f.join("w3", supervised)
	f.submit(cpu("s"))
	a := f.take("w1")
	exited(f, "w1", true)
	exited(f, "w2", true)
	if b := f.take("w3"); b.Task != a.Task {
		t.Fatal("it is still held back")
	}
	exited(f, "w3", true)
	f.join("w1", supervised)
	f.take("w1") // neither held back nor set aside
}

func TestDeathsCountHoweverTheyAreTold(t *testing.T) {
	f := newFarm(t, Config{PoisonHold: -1})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("bomb"))
	a := f.take("w1")
	f.join("w1") // a new process in its place
	f.join("w3", func(in *candor.WorkerInfo) { in.Classes = []candor.Class{candor.ClassLLM} })
	f.take("w1")
	f.join("w1") // the same worker once more: still one worker
	if f.state(a.Task) != candor.TaskQueued {
		t.Fatal("set aside for one worker")
	}
	f.take("w2")
	f.do(Leave{"w2", candor.LeaveRequest{Session: f.at["w2"], Crash: "out of memory"}})
	f.expect(f.why(a.Task), candor.ReasonPoison, "2 workers died under it: w1, w2")
}

func TestABadNightPoisonsNothing(t *testing.T) {
	f := newFarm(t, Config{})
	names := []string{"w1", "w2", "w3"}
	for _, n := range names {
		f.join(n, supervised)
	}
	b := f.submit(cpu("s", items(3))).Batch
	for night := range 6 {
		for i := range names {
			f.take(names[(i+night)%3]) // each task with another worker each night
		}
		for _, n := range names {
			exited(f, n, true)
		}
		for _, n := range names {
			f.join(n, supervised)
		}
	}
	for _, task := range f.tasksOf(b) {
		if task.state != queued || task.counted != 0 {
			t.Fatalf("%s is %s", task.name(), stateNames[task.state])
		}
	}
}

// F48: 75 is for somebody else and not counted; 78 is the end.
func TestExitCodesThatDecide(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.hand("w1", ended(a, candor.AttemptTransient, candor.ReasonExitTransient, "exit 75"))
	if r := f.claim("w1"); len(r.Tasks) > 0 || r.Report.Refused[candor.ReasonElsewhere] != 1 {
		t.Fatalf("%+v", r.Report)
	}
	b := f.take("w2")
	if got := f.s.tasks.find(b.Task).counted; got != 0 {
		t.Fatalf("%d counted", got)
	}
	f.hand("w2", ended(b, candor.AttemptPermanent, candor.ReasonExitPermanent, "exit 78"))
	f.expect(f.why(a.Task), candor.ReasonExitPermanent, "exit 78")
	if f.state(a.Task) != candor.TaskFailed {
		t.Fatal(f.state(a.Task))
	}
}

// With nobody else to go to, the same worker gets it again after a while.
func TestATaskGoesBackWhenNobodyElseIsThere(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	f.submit(cpu("s"))
	a := f.take("w1")
	f.hand("w1", ended(a, candor.AttemptTransient, candor.ReasonExitTransient, "exit 75"))
	f.do(Leave{"w2", candor.LeaveRequest{Session: f.at["w2"], Why: "done"}})
	f.pass(time.Second)
	if f.take("w1").Task != a.Task {
		t.Fatal("another task")
	}
}

// F50: without a key both run; with one the second is refused, and nothing is made.
func TestAKeyRefusesASecondBatch(t *testing.T) {
	f := newFarm(t, Config{})
	keyed := Submit{Sub: candor.Submission{Name: "plan", Key: "nightly", Steps: []candor.Step{cpu("s")}}}
	first := f.do(keyed).(candor.SubmitReply).Batch
	f.told()
	_, err := f.try(keyed)
	if candor.CodeOf(err) != candor.CodeConflict || !strings.Contains(err.Error(), first.String()) {
		t.Fatal(err)
	}
	if f.s.Take() != nil {
		t.Fatal("a refused command changed something")
	}
	if a, b := f.submit(cpu("s")), f.submit(cpu("s")); a.Batch == b.Batch {
		t.Fatal("one batch for two")
	}
}

// F51: cancel one of two: its attempt is ordered to end, the other runs on.
func TestCancelEndsOneBatchOnly(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	f.join("w2")
	a, b := f.submit(cpu("a", items(2))).Batch, f.submit(cpu("b")).Batch
	one := f.take("w1")
	f.take("w2") // the second of a
	f.join("w3")
	other := f.take("w3")
	r := f.do(Cancel{change(a.String())}).(candor.ChangeReply).Changed[0]
	if r.Pending != 2 || r.Tasks != 2 {
		t.Fatalf("%+v", r)
	}
	if !f.s.Urgent("w1") {
		t.Fatal("a held heartbeat would not hear of it")
	}
	abort := f.beat("w1", one.Lease).Abort
	if len(abort) != 1 || abort[0].Reason != candor.ReasonCancelled {
		t.Fatalf("%+v", abort)
	}
	f.hand("w1", ended(one, candor.AttemptAborted, candor.ReasonCancelled, "ended on order"))
	if f.state(one.Task) != candor.TaskCancelled || f.state(other.Task) != candor.TaskProcessing {
		t.Fatalf("%s, other %s", f.state(one.Task), f.state(other.Task))
	}
	f.hand("w3", done(other))
	if got := f.s.batches[b].rec.Outcome; got != candor.OutcomeSucceeded {
		t.Fatal(got)
	}
}

// A change that cannot be made whole is not made in part.
func TestARefusedChangeChangesNothing(t *testing.T) {
	f := newFarm(t, Config{})
	b := f.submit(cpu("s")).Batch
	f.told()
	for _, cmd := range []Command{Cancel{change(b.String(), "class:cpu")}, Retry{change(b.String(), "all")}, Pause{change("all", "nobody")}} {
		if _, err := f.try(cmd); err == nil || f.s.Take() != nil {
			t.Fatalf("%T: %v", cmd, err)
		}
	}
}

func TestAnExpiredBatchIsCancelledAndARetryGivesItTime(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("w1")
	b := f.do(Submit{Sub: candor.Submission{Name: "p", Expires: candor.Duration(time.Minute), Steps: []candor.Step{cpu("s")}}}).(candor.SubmitReply).Batch
	f.pass(time.Minute)
	id := f.tasksOf(b)[0].id
	f.expect(f.why(id), candor.ReasonExpired, "expired")
	f.do(Retry{change(b.String())})
	f.pass(time.Second)
	f.beat("w1")
	if f.take("w1").Task != id {
		t.Fatal("not there again")
	}
}
