package cli

import (
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
			VRAM: 5 * candor.GiB, Workers: []candor.ModelWorker{
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
