package cli

import (
	"bytes"
	"io"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"candor"
)

const (
	batchA candor.BatchID = 4100
	batchB candor.BatchID = 4101
	taskA  candor.TaskID  = 9001
	taskB  candor.TaskID  = 9002
)

func ago(d time.Duration) time.Time { return at().Add(-d) }

func sampleBatch() candor.Batch {
	return candor.Batch{
		ID: batchA, Name: "library\x1b[31m", State: candor.BatchActive, CreatedAt: ago(14 * time.Minute), Total: 126,
		Counts: map[candor.TaskState]int{candor.TaskComplete: 40, candor.TaskProcessing: 2, candor.TaskQueued: 82, candor.TaskFailed: 1, candor.TaskBlocked: 1},
		Dir:    "/state/batches/b", PlanFile: "/plans/library.yaml",
		Steps: []candor.StepView{
			{Name: "topics", Class: candor.ClassLLM, Expanded: true, FansOut: true, Total: 125, Counts: map[candor.TaskState]int{candor.TaskComplete: 40, candor.TaskProcessing: 2, candor.TaskQueued: 82, candor.TaskFailed: 1}},
			{Name: "index", Class: candor.ClassCPU, Expanded: true, Total: 1, Counts: map[candor.TaskState]int{candor.TaskBlocked: 1}, Needs: []candor.Need{{Step: "topics", AllowFailed: true}}, Outputs: map[string]string{"index": "index.html"}},
			{Name: "later", Class: candor.ClassCPU, FansOut: true, Needs: []candor.Need{{Step: "index"}}},
		},
		Paused: &candor.Pause{Scope: "batch", By: "ann@rig", Why: "power cut", At: ago(time.Minute)},
	}
}

func sampleFailed() candor.Task {
	return candor.Task{
		ID: taskA, Batch: batchA, Name: "topics[7]", Step: "topics", Index: 7, Class: candor.ClassLLM, State: candor.TaskFailed, Model: "qwen2.5:7b",
		Item: []byte(`"docs/a b.md"`), Attempt: 3, Counted: 2, Tries: 2, Worker: "worker-2",
		CreatedAt: ago(14 * time.Minute), StartedAt: ago(2 * time.Minute), FinishedAt: ago(time.Minute),
		Reason: candor.NewReason(candor.ReasonExitCode, "exit 1 after 58s on worker-2").Do("candor logs t_x"),
		Last:   &candor.Attempt{Number: 3, Tail: "1\n2\n3\n4\n5\n6\n7\n8\n9\x1b[2J\n"},
	}
}

func sampleAttempts() []candor.Attempt {
	return []candor.Attempt{
		{Number: 1, Worker: "worker-1", StartedAt: ago(10 * time.Minute), FinishedAt: ago(9 * time.Minute), Outcome: candor.AttemptLost, Reason: candor.NewReason(candor.ReasonWorkerDied, "worker-1 died: signal: KILL (9)")},
		{Number: 2, Worker: "worker-2", StartedAt: ago(5 * time.Minute), FinishedAt: ago(4 * time.Minute), Outcome: candor.AttemptFailed, Counted: true,
			Exit: &candor.Exit{Code: -1, Signal: "KILL (9)", OOM: "cgroup oom_kill 1", CPU: candor.Duration(41 * time.Second), MaxRSS: 6 * candor.GiB}},
		{Number: 3, Worker: "worker-2", StartedAt: ago(2 * time.Minute), FinishedAt: ago(time.Minute), Outcome: candor.AttemptFailed, Counted: true,
			Exit: &candor.Exit{Code: 1, CPU: candor.Duration(time.Second), MaxRSS: 200 * candor.MiB}, Reason: candor.NewReason(candor.ReasonExitCode, "exit 1 after 58s"),
			Tail: "reading\r\x1b[2Jdocs/a b.md\nno such model\n", Dir: "/state/attempts/b/t/3"},
	}
}

func sampleWorker() candor.Worker {
	return candor.Worker{
		WorkerInfo: candor.WorkerInfo{
			Name: "worker-1", Host: "rig", PID: 4410, Classes: []candor.Class{candor.ClassScript, candor.ClassLLM}, Slots: 2, Labels: []string{"fast"},
			GPU: &candor.GPU{Name: "RTX 2060", Total: 6 * candor.GiB, Free: 5 * candor.GiB},
		},
		State: candor.WorkerCold, JoinedAt: ago(time.Hour), SeenAt: ago(3 * time.Second), AskedAt: ago(5 * time.Second),
		Completed: 42, Failed: 1, Doing: "waiting for work", DoingAt: ago(14 * time.Minute),
		Reason: &candor.Reason{Code: candor.ReasonLabel, Mover: candor.MoverYou, Since: ago(14 * time.Minute),
			Text: "idle 14m with 123 llm tasks queued: no load was ordered for worker-1", Next: "candor why " + taskB.String()},
	}
}

func sampleWhyTask() candor.Explanation {
	t := candor.Task{ID: taskB, Name: "topics[8]", State: candor.TaskQueued}
	return candor.Explanation{
		Subject: "task", Task: &t, Revision: 812, At: ago(2 * time.Second),
		Reason: candor.Reason{Code: candor.ReasonUnplaceable, Mover: candor.MoverYou, Since: ago(14 * time.Minute),
			Text: "fits on 0 of 2 workers: needs 24 GiB, the largest has 6 GiB", Next: "candor worker ls"},
		Workers: []candor.WorkerChecks{
			{Worker: "worker-1", Verdict: candor.VerdictNever, Checks: []candor.Check{
				{Code: candor.ReasonBusy, Verdict: candor.VerdictNotNow, Wanted: "a free slot", Actual: "2 of 2 taken"},
				{Code: candor.ReasonVRAMTotal, Verdict: candor.VerdictNever, Wanted: "24 GiB", Actual: "6 GiB"},
				{Code: candor.ReasonLabel, OK: true, Wanted: "fast", Actual: "fast"},
			}},
			{Worker: "worker-2", Verdict: candor.VerdictYes, Checks: []candor.Check{{Code: candor.ReasonLabel, OK: true, Wanted: "fast", Actual: "fast"}}},
		},
		Chain: []candor.Task{sampleFailed()},
	}
}

func sampleWhyWorker() candor.Explanation {
	w := sampleWorker()
	return candor.Explanation{
		Subject: "worker", Worker: &w, Reason: *w.Reason, Revision: 812, At: at(),
		Queue: []candor.ShapeView{{Class: candor.ClassLLM, Model: "qwen2.5:7b", Needs: "llm, model qwen2.5:7b", Queued: 123, Example: taskB, Checks: candor.WorkerChecks{
			Worker: "worker-1", Verdict: candor.VerdictNotNow, Checks: []candor.Check{{Code: candor.ReasonModelCold, Verdict: candor.VerdictNotNow, Wanted: "qwen2.5:7b loaded", Actual: "no model"}},
		}}},
	}
}

func sampleStatus() candor.Status {
	return candor.Status{
		At: at(), Version: "v1", PID: 4410, Started: ago(3 * time.Hour), Revision: 812, GPUs: 3, GPUsBusy: 1, Workers: 3, Alive: 2,
		Queue: map[candor.Class]int{candor.ClassLLM: 123, candor.ClassCPU: 2}, Processing: 2, Stuck: 1, Recent: 17, Batches: 1,
		Pauses: []candor.Pause{{Scope: "class", Target: "llm", By: "ann@rig", Why: "heat", At: ago(time.Minute)}}, Trouble: "commit: no room on the disk",
	}
}

func samplePreview() candor.Preview {
	return candor.Preview{Tasks: 125, Steps: []candor.PreviewStep{
		{Name: "topics", Class: candor.ClassLLM, Tasks: 125, Workers: sampleWhyTask().Workers, Reason: candor.NewReason(candor.ReasonUnplaceable, "fits on 0 of 2 workers").Do("candor worker ls")},
		{Name: "index", Class: candor.ClassCPU, Tasks: -1, Needs: []candor.Need{{Step: "topics", Each: true}}, Workers: []candor.WorkerChecks{{Worker: "worker-2", Verdict: candor.VerdictYes}, {Worker: "worker-3", Verdict: candor.VerdictNotNow}}},
	}}
}

func sampleEnded() candor.Batch {
	ended := sampleBatch()
	ended.State, ended.Outcome, ended.Paused, ended.FinishedAt = candor.BatchComplete, candor.OutcomeFailed, nil, at()
	ended.Steps[1].Counts = map[candor.TaskState]int{candor.TaskComplete: 1}
	ended.Steps = ended.Steps[:2]
	return ended
}

func TestPages(t *testing.T) {
	old := sampleWhyWorker() // F64: an answer that is kept, or a clock that goes wrong
	old.At = ago(42 * time.Second)
	cramped := sampleWhyTask() // F33
	cramped.Trouble = "commit: no room on the disk"
	pages := map[string]func(p page){
		"batch":       func(p page) { p.batch(batchReport{Batch: sampleBatch(), Failed: []candor.Task{sampleFailed()}}) },
		"ending":      func(p page) { p.ending(batchReport{Batch: sampleEnded(), Failed: []candor.Task{sampleFailed()}}) },
		"task":        func(p page) { p.task(taskReport{Task: sampleFailed(), Attempts: sampleAttempts()}) },
		"worker":      func(p page) { p.worker(sampleWorker()) },
		"why-task":    func(p page) { p.why(sampleWhyTask(), false) },
		"why-wide":    func(p page) { p.why(sampleWhyTask(), true) },
		"why-worker":  func(p page) { p.why(sampleWhyWorker(), false) },
		"why-old":     func(p page) { p.why(old, false) },
		"why-cramped": func(p page) { p.why(cramped, false) },
		"status":      func(p page) { p.status(sampleStatus()) },
		"preview":     func(p page) { p.preview(samplePreview(), false) },
	}
	maps.Copy(pages, modelPages())
	for name, show := range pages {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			show(page{w: &b, now: at()})
			golden(t, filepath.Join("testdata", "view", name+".golden"), b.String())
			var painted bytes.Buffer
			show(page{w: &painted, s: style{on: true}, now: at()})
			if got := plain(painted.String()); got != b.String() {
				t.Errorf("colour changes the words:\n%s", got)
			}
		})
	}
}

// plain takes our own colour away, and leaves every other escape in.
func plain(text string) string {
	for _, code := range []string{"0", "1", "2", "31", "32", "33"} {
		text = string(bytes.ReplaceAll([]byte(text), []byte("\x1b["+code+"m"), nil))
	}
	return text
}

func TestLists(t *testing.T) {
	lists := map[string]func(a *app, cmd *cobra.Command) error{
		"batches": func(a *app, cmd *cobra.Command) error {
			return a.writeBatches(cmd, []candor.Batch{sampleBatch()})
		},
		"tasks": func(a *app, cmd *cobra.Command) error {
			running := candor.Task{ID: taskB, Batch: batchA, Name: "topics[8]", Class: candor.ClassLLM, State: candor.TaskProcessing, Stuck: true, Attempt: 1, Tries: 3,
				Worker: "worker-1", StartedAt: ago(6 * time.Minute), Progress: &candor.Progress{Done: 40, Total: 125, Note: "chapter\t3", State: "sleeping"}}
			return writeList(a, cmd, kind{"task", "tasks"}, []candor.Task{sampleFailed(), running, sampleChunk()}, taskColumns(at()))
		},
		"workers": func(a *app, cmd *cobra.Command) error {
			serves := sampleServing()
			busy := sampleWorker()
			busy.Name, busy.Draining, busy.Running = "worker-2", true, []candor.Running{{Task: taskA, Name: "topics[7]", Since: ago(time.Minute)}}
			return writeList(a, cmd, kind{"worker", "workers"}, []candor.Worker{serves, sampleWorker(), busy}, workerColumns(at()))
		},
		"events": func(a *app, cmd *cobra.Command) error {
			e := candor.Event{Seq: 7, At: at(), Level: candor.LevelWarn, Code: candor.EventTaskStuck, Text: "stuck\nfor 6m", Task: taskB, Worker: "worker-1"}
			return writeList(a, cmd, kind{"event", "events"}, []candor.Event{e}, eventColumns())
		},
		"models": showModels,
		"orders": showOrders,
		"gpus":   showCards,
		"nothing": func(a *app, cmd *cobra.Command) error {
			return a.writeBatches(cmd, nil)
		},
	}
	for name, show := range lists {
		for _, form := range formats() {
			t.Run(name+"/"+form, func(t *testing.T) {
				c := newCall(t, nil)
				cmd := &cobra.Command{Use: "x"}
				addOutput(cmd)
				if err := cmd.Flags().Set("output", form); err != nil {
					t.Fatal(err)
				}
				if err := show(c.app, cmd); err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", "view", name+"."+form+".golden"), c.out.String())
			})
		}
	}
}

func TestProgressLine(t *testing.T) {
	const want = "library\x1b[31m: topics 41/125 (1 failed), index 0/1, later -"
	if got := progressLine(sampleBatch()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLogsOnATerminalAreHarmless(t *testing.T) {
	var out bytes.Buffer
	in := io.MultiReader(bytes.NewBufferString("a\x1b]0;title\x07b\tc\n"), bytes.NewBufferString("\x9b31mno line end \xff"))
	if err := copyClean(&out, in); err != nil {
		t.Fatal(err)
	}
	const want = "a�]0;title�b\tc\n�31mno line end �"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
