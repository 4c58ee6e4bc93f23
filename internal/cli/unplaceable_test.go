package cli

import (
	"testing"

	"candor"
)

func TestPlacingHint(t *testing.T) {
	never := func(code candor.ReasonCode) candor.WorkerChecks {
		return candor.WorkerChecks{Worker: "w", Verdict: candor.VerdictNever, Checks: []candor.Check{
			{Code: candor.ReasonBusy, Verdict: candor.VerdictNotNow}, {Code: code, Verdict: candor.VerdictNever, Wanted: "this", Actual: "has that"},
		}}
	}
	class := never(candor.ReasonWrongClass)
	tests := []struct {
		class   candor.Class
		workers []candor.WorkerChecks
		want    string
	}{
		{candor.ClassLLM, []candor.WorkerChecks{class}, "llm tasks need a model server: candor doctor says how to get one, models.url names one that runs"},
		{candor.ClassScript, []candor.WorkerChecks{class}, "script tasks need a card: candor doctor says what was found; class cpu needs none"},
		{candor.ClassCPU, []candor.WorkerChecks{class}, "worker.classes in the configuration says which classes workers take"},
		{candor.ClassLLM, []candor.WorkerChecks{class, never(candor.ReasonModelMissing)}, "fetch it (ollama pull m), or name another model: w has that"},
		{candor.ClassScript, []candor.WorkerChecks{never(candor.ReasonVRAMTotal), class}, "a larger card, or less vram in the plan: wanted this, there is has that"},
		{candor.ClassCPU, []candor.WorkerChecks{never(candor.ReasonLabel)}, "worker.labels in the configuration gives workers labels: wanted this"},
		{candor.ClassCPU, []candor.WorkerChecks{never(candor.ReasonTool)}, "install it, so that it is on the PATH, or let worker.tools offer it: wanted this, w has has that"},
		{candor.ClassCPU, []candor.WorkerChecks{never(candor.ReasonWrongWorker)}, "candor preview PLAN says what each worker could take"},
		{candor.ClassCPU, nil, "candor preview PLAN says what each worker could take"},
	}
	for _, tt := range tests {
		if got := placingHint(candor.Task{Class: tt.class, Model: "m"}, tt.workers); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
