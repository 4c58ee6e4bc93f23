package sched

import (
	"errors"
	"testing"

	"candor"
)

// F07's manner, for models: the nearest name that is there is suggested.
func TestAMisspeltModelIsSuggested(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinServing("w1", []string{"qwen"}, serving())
	f.joinServing("w2", []string{"llama"}, serving())
	reply := f.submit(llm("topics", "qwem", 2))
	f.expect(f.why(f.tasksOf(reply.Batch)[0].id), candor.ReasonUnplaceable, "w1, w2: no qwem on disk (did you mean qwen?)")
	for _, workers := range [][]string{nil, {"w1"}} {
		_, err := f.try(OrderModel{candor.OrderRequest{Kind: candor.OrderLoad, Model: "qwem", Workers: workers}})
		has(t, hintOf(err), "did you mean qwen?")
	}
	_, err := f.try(OrderModel{candor.OrderRequest{Kind: candor.OrderLoad, Model: "mistral-large"}})
	has(t, hintOf(err), "candor model pull mistral-large")
}

func hintOf(err error) string {
	var e *candor.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
