package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"candor"
)

func sampleModels() []candor.ModelView {
	return []candor.ModelView{
		{Name: "llama3.1:70b", Size: 40 * candor.GiB, Workers: []candor.ModelWorker{
			{Worker: "gpu-0", State: "missing"},
			{Worker: "gpu-1", State: "loading", Order: taskA},
		}},
		{Name: "qwen2.5:7b", Size: 4700 * candor.MiB, Queued: 123, Running: 4, Load: candor.Duration(6210 * time.Millisecond), Run: candor.Duration(1800 * time.Millisecond),
			Reason:   candor.NewReason(candor.ReasonPlaceHold, "123 tasks wait for qwen2.5:7b: it is loaded on gpu-0; gpu-1: no load of qwen2.5:7b was ordered: llama3.1:70b was loaded 12s ago"),
			Revision: 812, At: ago(2 * time.Second), VRAM: 5 * candor.GiB, Workers: []candor.ModelWorker{
				{Worker: "gpu-0", State: "ready", VRAM: 5 * candor.GiB, InUse: 4, Rate: 41.73},
				{Worker: "gpu-1", State: "available", Checks: []candor.Check{
					{Code: candor.ReasonPlaceOrdered, OK: true, Wanted: "no order under way", Actual: "none"},
					{Code: candor.ReasonPlaceHold, Verdict: candor.VerdictNotNow, Wanted: "what goes was loaded 30s ago or more", Actual: "llama3.1:70b is being loaded"},
				}},
			}},
	}
}

func showModels(a *app, cmd *cobra.Command) error {
	return writeList(a, cmd, kind{"model", "models"}, sampleModels(), modelColumns())
}

func showOrders(a *app, cmd *cobra.Command) error {
	loaded := candor.ServedModel{Name: "qwen2.5:7b", Size: 5 * candor.GiB, VRAM: 5 * candor.GiB, Ready: true}
	spilled := candor.ServedModel{Name: "llama3.1:70b", Size: 40 * candor.GiB, VRAM: 22 * candor.GiB}
	return a.showOrders(cmd, candor.OrderLoad, []orderReport{
		{Ordered: candor.Ordered{Worker: "gpu-0", Already: true, Text: "gpu-0 is that way already: qwen2.5:7b loaded"}},
		{Ordered: candor.Ordered{Task: taskA, Batch: batchA, Text: "load_llm qwen2.5:7b ordered for whoever takes it first"}, State: candor.TaskComplete, RanOn: "gpu-1",
			Result: &candor.OrderResult{Before: []candor.ServedModel{spilled}, After: []candor.ServedModel{loaded}, Changed: true, Evicted: []string{"llama3.1:70b"}, Took: candor.Duration(6210 * time.Millisecond)}},
		{Ordered: candor.Ordered{Task: taskB, Batch: batchA, Worker: "gpu-2", Text: "load_llm qwen2.5:7b ordered for gpu-2"}, State: candor.TaskFailed, RanOn: "gpu-2",
			Reason: candor.NewReason(candor.ReasonModelTooLarge, "qwen2.5:7b needs 5 GiB, 2 GiB are free"), Result: &candor.OrderResult{}},
		{Ordered: candor.Ordered{Task: taskB, Batch: batchA, Worker: "gpu-3", Text: "load_llm qwen2.5:7b ordered for gpu-3"}},
	})
}

// sampleServing is a worker in the middle of things.
func sampleServing() candor.Worker {
	w := sampleWorker()
	w.Name, w.State, w.Model, w.Reason, w.Share = "gpu-0", candor.WorkerReady, "qwen2.5:7b", nil, 0.342
	w.Card = &candor.GPU{Index: 0, UUID: "GPU-5a6d2c1e", Name: "RTX 3090", Total: 24 * candor.GiB, Free: 18 * candor.GiB, Temperature: 71.4, Utilisation: 0.93, Power: 318.2,
		Others: []candor.GPUProcess{{PID: 911, Name: "Xorg", VRAM: 300 * candor.MiB}, {PID: 77}}}
	w.Serving = &candor.Serving{
		Kind: "ollama", URL: "http://127.0.0.1:41234", State: candor.ServerUp, For: candor.Duration(2 * time.Hour), Managed: true, Restarts: 2, Take: 8, Most: 3, Slots: 4,
		Models: []candor.ServedModel{
			{Name: "llama3.1:70b", Context: 8192, Size: 40 * candor.GiB, VRAM: 22 * candor.GiB, Doubt: "no token for 40s"},
			{Name: "nomic-embed-text", Context: 2048, Size: 300 * candor.MiB, VRAM: 300 * candor.MiB},
			{Name: "qwen2.5:7b", Context: 4096, Size: 5 * candor.GiB, VRAM: 5 * candor.GiB, Ready: true, Token: candor.Duration(3 * time.Second), Rate: 41.73, InUse: 3},
		},
		Work: &candor.ModelWork{Kind: candor.OrderUnload, Model: "llama3.1:70b", For: candor.Duration(2 * time.Second)},
	}
	w.Account = &candor.Account{From: ago(time.Hour), To: at(), Sums: map[candor.ReasonCode]candor.Duration{
		candor.ReasonBusyTime: candor.Duration(40 * time.Minute), candor.ReasonLoadingTime: candor.Duration(5 * time.Minute),
		candor.ReasonIdleNoWork: candor.Duration(10 * time.Minute), candor.ReasonPlaceHold: candor.Duration(5 * time.Minute),
	}}
	w.EvenShare = 0.25
	w.Races = &candor.Races{Since: ago(time.Hour), Won: 12, Lost: 11, Others: 2, AtLeast: true, To: []candor.Rival{
		{Worker: "gpu-1", Lost: 8, Median: candor.Duration(1300 * time.Millisecond), Last: candor.Duration(200 * time.Millisecond), At: ago(time.Minute)},
		{Worker: "gpu-2", Lost: 1, Median: candor.Duration(-3 * time.Second), Last: candor.Duration(-3 * time.Second), At: ago(5 * time.Minute)},
	}}
	return w
}

func showCards(a *app, cmd *cobra.Command) error {
	gone, plain, simulated := sampleServing(), sampleWorker(), sampleServing()
	gone.Name, gone.State = "gone", candor.WorkerGone
	none := sampleWorker()
	none.GPU = nil
	simulated.Name, simulated.Serving.Simulated, simulated.Card.Name = "gpu-1", true, "simulated card"
	return writeList(a, cmd, kind{"gpu", "gpus"}, cardsOf([]candor.Worker{sampleServing(), gone, none, plain, simulated}), cardColumns())
}

// sampleChunk is a task of rows, some of which failed.
func sampleChunk() candor.Task {
	at := sampleRows()[0]
	return candor.Task{
		ID: taskB, Batch: batchA, Name: "topics[9]", Step: "topics", Index: 9, Class: candor.ClassLLM, State: candor.TaskComplete, Model: "qwen2.5:7b",
		Item: []byte(`[` + strings.Repeat(`{"text": "a passage"}, `, 19) + `{"text": "the last"}]`), Attempt: 1, Counted: 1, Tries: 2, Worker: "gpu-0",
		CreatedAt: ago(14 * time.Minute), StartedAt: ago(2 * time.Minute), FinishedAt: ago(time.Minute), Last: &at,
	}
}

func sampleRows() []candor.Attempt {
	return []candor.Attempt{{
		Number: 1, Worker: "gpu-0", StartedAt: ago(2 * time.Minute), FinishedAt: ago(time.Minute), Outcome: candor.AttemptDone,
		Rows: &candor.RowTotals{Rows: 20, Failed: 3, Errors: map[string]int{"answer.schema": 2, "answer.truncated": 1}, First: "row 4: the answer is no JSON",
			PromptTokens: 8240, Tokens: 612, Model: "qwen2.5:7b", Digest: "845dbda0ea48ed749caafd9e6037047aa19acfcfd82e704d7ca97d631a0b697e"},
	}}
}

func modelPages() map[string]func(page) {
	down := sampleServing()
	down.State, down.Share, down.Account, down.Card, down.Reason = candor.WorkerCold, 0, nil, nil, sampleWorker().Reason
	down.Serving = &candor.Serving{Kind: "llama-server", URL: "http://127.0.0.1:8080", State: candor.ServerDown, For: candor.Duration(34 * time.Second), Simulated: true,
		Text: "connection refused", Code: candor.ReasonServerGone, Work: &candor.ModelWork{Kind: candor.OrderLoad, Model: "m", For: candor.Duration(90 * time.Second), Usual: candor.Duration(6210 * time.Millisecond)}}
	unbalanced := sampleServing()
	delete(unbalanced.Account.Sums, candor.ReasonPlaceHold)
	why := sampleWhyWorker()
	why.Worker = &unbalanced
	order := candor.Task{ID: taskA, Batch: batchB, Name: "load_llm", Class: candor.ClassResource, State: candor.TaskComplete, Attempt: 1, Counted: 1, Tries: 1, Worker: "gpu-0", CreatedAt: ago(time.Minute)}
	did := []candor.Attempt{{Number: 1, Worker: "gpu-0", Outcome: candor.AttemptDone, Order: &candor.OrderResult{After: sampleServing().Serving.Models[2:]}}}
	return map[string]func(page){
		"worker-serving": func(p page) { p.worker(sampleServing()) },
		"worker-down":    func(p page) { p.worker(down) },
		"why-serving":    func(p page) { p.why(why, false) },
		"model":          func(p page) { p.whyModel(sampleModels()[1], false) },
		"model-wide":     func(p page) { p.whyModel(sampleModels()[1], true) },
		"task-rows":      func(p page) { p.task(taskReport{Task: sampleChunk(), Attempts: sampleRows()}) },
		"task-order":     func(p page) { p.task(taskReport{Task: order, Attempts: did}) },
	}
}

func TestProgressText(t *testing.T) {
	for want, p := range map[string]candor.Progress{
		"12/20 rows, asks 3 at once": {Done: 12, Total: 20, Kind: "row", Note: "asks 3 at once"},
		"1.5 GiB of 4 GiB, pulling":  {Done: 3 << 29, Total: 4 << 30, Kind: "pull", Note: "pulling"},
		"40/125, sleeping":           {Done: 40, Total: 125, Kind: "report", State: "sleeping"},
		"7":                          {Done: 7},
	} {
		if got := progressText(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
