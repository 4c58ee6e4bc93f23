package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

func testNew(t *testing.T, f Factory) {
	w := open(t, f)
	first := w.load()
	if m := first.Meta; m.NextTask < 1 || m.NextTask > candor.MaxID/2 || m.NextBatch < 1 || m.NextLease < 1 || m.NextSession < 1 || m.NextEvent < 1 {
		t.Fatalf("a new store counts from %+v", m)
	}
	if len(first.Batches)+len(first.Workers)+len(first.Pauses) != 0 || first.Revision != 0 {
		t.Fatalf("a new store holds %+v", first)
	}
	if err := w.s.Room(bg()); err != nil {
		t.Errorf("a store that has just been made has no room: %v", err)
	}
	w.reopen()
	first.Meta.NextLease = w.meta.NextLease
	w.same("an empty store after opening it again", w.load(), first)
}

// fullReason, fullAttempt and fullStep have every field set.
func fullReason() *candor.Reason {
	return &candor.Reason{
		Code: candor.ReasonExitCode, Mover: candor.MoverYou, Text: "exit 3 — “no such file”", Next: "candor retry t_5g7n2k9q",
		Since: noon(), Operands: map[string]any{"code": "3", "path": "a'b\"c"},
	}
}

func fullAttempt(number int) candor.Attempt {
	return candor.Attempt{
		Number: number, Worker: "worker-1", Lease: 40, StartedAt: noon(), FinishedAt: noon().Add(time.Minute),
		Outcome: candor.AttemptFailed, Counted: true, Reason: fullReason(), Tail: "last words\n\x1b[31m", Dir: "/w/1",
		Exit: &candor.Exit{Code: 3, Signal: "KILL (9)", OOM: "memory.events", CPU: candor.Duration(25*time.Hour + 1234567*time.Microsecond),
			MaxRSS: 3 * candor.GiB, Written: 1 << 40, Cut: true, Survived: []string{"pid 7 (sleep)"}},
	}
}

func fullStep() candor.Step {
	return candor.Step{
		Name: "topics", Class: candor.ClassLLM, Run: "./topics \"$ITEM\" > 'out'.json", Argv: []string{"a", "b c"},
		Env:   map[string]string{"K": "v"},
		Needs: []candor.Need{{Step: "step0", Each: true, AllowFailed: true}}, Outputs: map[string]string{"o": "out.json"},
		Each:    &candor.Each{Glob: "*.md", From: &candor.Manifest{Step: "step0", Output: "o", Path: "files"}},
		Timeout: candor.Duration(26*time.Hour + time.Second), NoProgress: candor.Duration(90 * time.Second), Retries: 2,
		Backoff: candor.Duration(1500 * time.Millisecond), Priority: -3,
		Requires: candor.Requires{Labels: []string{"a"}, Tools: []string{"ffmpeg"}, Worker: "worker-2"}, VRAM: 5 * candor.GiB, Model: "qwen2.5:7b",
	}
}

func fullWorker() sched.WorkerRecord {
	return sched.WorkerRecord{
		Info: candor.WorkerInfo{Name: "worker-1", Host: "rig", PID: 4410, Started: 99, Version: "v1", Classes: candor.Classes(), Slots: 4,
			Labels: []string{"l"}, Tools: []string{"t"}, GPU: &candor.GPU{Index: 1, UUID: "GPU-1", Name: "card", Total: 24 * candor.GiB, Free: candor.GiB, Temperature: 61.5, Utilisation: 0.25, Power: 99},
			Supervisor: "up-1", Dir: "/d"},
		Session: 7, State: candor.WorkerHot, Draining: true, Drain: &candor.Pause{Scope: candor.ScopeDrain, Target: "worker-1", By: "ann", Why: "dust", At: noon()}, JoinedAt: noon(), SeenAt: noon().Add(time.Hour), Completed: 12, Failed: 3,
		Account: &candor.Account{From: noon(), To: noon().Add(time.Hour), Sums: map[candor.ReasonCode]candor.Duration{candor.ReasonRunning: candor.Duration(time.Hour)}},
	}
}

// testRoundTrip commits one of everything with every field set.
func testRoundTrip(t *testing.T, f Factory) {
	w := open(t, f)
	c := w.batch("library", 3, 0)
	b := &c.NewBatches[0]
	b.Key, b.Cancelled, b.ExpiresAt = "nightly", true, noon().Add(time.Hour)
	b.PlanFile, b.PlanDir, b.Inputs = "/p/plan.yaml", "/p", json.RawMessage(`{"folder": "docs"}`)
	full := fullStep()
	c.NewSteps = append(c.NewSteps, sched.StepRecord{Batch: b.ID, Number: 2, Step: full})
	all := &c.NewTasks[0]
	all.State, all.Attempt, all.Counted, all.Tries = candor.TaskProcessing, 3, 2, 5
	all.Worker, all.Lease, all.StartedAt, all.NotBefore = "worker-1", 41, noon().Add(time.Second), noon().Add(time.Minute)
	last := fullAttempt(2)
	all.Reason, all.Last, all.Aborting = fullReason(), &last, candor.ReasonCancelled
	all.AbortText, all.AbortAt = "cancelled by ann (lunch)", noon().Add(2*time.Second)
	all.Avoid, all.Downed = []string{"worker-2", "worker-3"}, []string{"worker-4"}
	all.Item = json.RawMessage(` {"b":1,  "a":"\u00e9"} `) // kept byte for byte
	c.NewTasks[1].State = candor.TaskBlocked
	c.NewTasks[1].QueuedAt = time.Time{}
	c.NewTasks[3].State, c.NewTasks[3].FinishedAt = candor.TaskCancelled, noon()
	c.Workers = []sched.WorkerRecord{fullWorker()}
	c.Models = []sched.ModelRecord{{Name: "big:70b"}, {Name: "qwen2.5:7b", VRAM: 5 * candor.GiB, Load: 40 * time.Second, Run: time.Minute, Loads: 2, Runs: 40}}
	c.Pauses, c.PausesSet = []candor.Pause{{Scope: "class", Target: "llm", By: "ann", Why: "heat", At: noon()}}, true
	w.meta.NextLease, w.meta.NextSession, w.meta.NextEvent = w.meta.NextLease+42, 8, 1000
	w.commit(c)

	want := &sched.Snapshot{Revision: w.revision, Meta: w.meta, Workers: c.Workers, Models: c.Models, Pauses: c.Pauses,
		Batches: []sched.LoadedBatch{{Batch: *b, Steps: c.NewSteps, Tasks: c.NewTasks}}}
	want.Batches[0].Batch.Was = b.State
	for i := range want.Batches[0].Tasks {
		want.Batches[0].Tasks[i] = stored(want.Batches[0].Tasks[i])
	}
	w.same("the state as loaded", w.load(), want)
	w.reopen()
	want.Meta.NextLease = w.meta.NextLease
	w.same("the state after opening it again", w.load(), want)

	// What may change of batches, steps, workers and pauses.
	step := c.NewSteps[2]
	step.Expanded, step.Total = true, 2
	worker := fullWorker()
	worker.Session, worker.State, worker.Draining, worker.Drain, worker.Info.GPU = 8, candor.WorkerGone, false, nil, nil
	worker.Account = nil
	model := sched.ModelRecord{Name: "qwen2.5:7b", VRAM: 6 * candor.GiB, Loads: 3}
	batch := *b
	batch.Was, batch.Cancelled, batch.ExpiresAt, batch.Total = b.State, false, time.Time{}, 6
	w.commit(&sched.Changes{Steps: []sched.StepRecord{step}, Workers: []sched.WorkerRecord{worker}, Models: []sched.ModelRecord{model}, Batches: []sched.BatchRecord{batch}, PausesSet: true})
	want.Models = []sched.ModelRecord{want.Models[0], model}
	want.Revision, want.Pauses, want.Workers = w.revision, nil, []sched.WorkerRecord{worker}
	want.Batches[0].Batch, want.Batches[0].Steps[2] = batch, step
	w.same("the state after changes", w.load(), want)

	// A worker that is forgotten may come anew in the same commit.
	w.commit(&sched.Changes{Forgotten: []string{worker.Info.Name}})
	want.Revision, want.Workers = w.revision, nil
	w.same("the state without the worker", w.load(), want)
	w.commit(&sched.Changes{Forgotten: []string{worker.Info.Name, "nobody"}, Workers: []sched.WorkerRecord{worker}})
	want.Revision, want.Workers = w.revision, []sched.WorkerRecord{worker}
	w.same("the state with the worker come anew", w.load(), want)
}

// testWholeRecord checks that a changed task is the new record and nothing of
// the old one, along each way a task can go.
func testWholeRecord(t *testing.T, f Factory) {
	w := open(t, f)
	id, tasks := w.submit("b", 70)
	last := fullAttempt(1)
	check := func(what string, records ...sched.TaskRecord) {
		t.Helper()
		w.commit(&sched.Changes{Tasks: records})
		got := w.loadBatch(id).Tasks
		for _, r := range records {
			tasks[r.ID-tasks[0].ID] = stored(r)
		}
		w.same(what, got, tasks)
	}
	var claims, done []sched.TaskRecord
	for _, r := range tasks[:67] { // more than one statement's worth, and not a multiple
		claims = append(claims, w.claim(r, "worker-1"))
	}
	check("claimed tasks", claims...)
	for _, r := range tasks[:65] {
		r = end(r, candor.TaskComplete)
		r.Counted, r.Tries = 1, 4
		done = append(done, r)
	}
	check("completed tasks", done...)

	failed := end(tasks[65], candor.TaskFailed)
	failed.Reason, failed.Last, failed.Avoid = fullReason(), &last, []string{"worker-1"}
	check("a failed task", failed)
	back := stored(failed)
	back.State, back.Worker, back.Lease, back.StartedAt, back.FinishedAt = candor.TaskQueued, "", 0, time.Time{}, time.Time{}
	back.QueuedAt, back.NotBefore, back.Tries = noon().Add(time.Hour), noon().Add(2*time.Hour), 3
	check("a task that is tried again", back)
	again := w.claim(stored(back), "worker-2")
	again.Reason, again.NotBefore, again.Last, again.Avoid = nil, time.Time{}, nil, nil
	check("a claim that clears what the former attempt left", again)

	lost := tasks[66]
	lost.Was, lost.WasLease = lost.State, lost.Lease
	lost.Worker, lost.Lease, lost.Attempt = "worker-3", w.meta.NextLease, 2
	w.meta.NextLease++
	check("a task that changed hands within one commit", lost)
	dying := stored(lost)
	dying.Aborting = candor.ReasonTimeout
	check("an attempt that was ordered to end", dying)
	late := end(stored(dying), candor.TaskComplete)
	late.Worker, late.Lease = "worker-4", w.meta.NextLease
	late.Aborting = ""
	check("a task that another attempt completed", late)
}
