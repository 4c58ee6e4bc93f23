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
