package sched

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// drawPlan draws a small plan of every kind of step: single, over items, over
// another step's items, over a manifest; with needs that wait for all or item
// by item, and requirements that some workers meet.
func drawPlan(t *rapid.T, n int) candor.Submission {
	sub := candor.Submission{Name: fmt.Sprintf("plan-%d", n)}
	if rapid.IntRange(0, 5).Draw(t, "key?") == 0 {
		sub.Key = fmt.Sprintf("key-%d", rapid.IntRange(0, 2).Draw(t, "key"))
	}
	if rapid.IntRange(0, 5).Draw(t, "expires?") == 0 {
		sub.Expires = candor.Duration(time.Duration(rapid.IntRange(1, 300).Draw(t, "expires")) * time.Second)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "steps") {
		sub.Steps = append(sub.Steps, drawStep(t, sub.Steps, i))
	}
	// Needs cannot wait item by item unless the items are the same ones.
	for sub.Validate() != nil {
		loosened := false
		for i := range sub.Steps {
			for j := range sub.Steps[i].Needs {
				if n := &sub.Steps[i].Needs[j]; n.Each && !loosened {
					probe := sub
					probe.Steps = sub.Steps[:i+1]
					if probe.Validate() != nil {
						n.Each, loosened = false, true
					}
				}
			}
		}
		if !loosened {
			t.Fatalf("the generator drew a plan that is refused: %v", sub.Validate())
		}
	}
	return sub
}

func drawStep(t *rapid.T, before []candor.Step, i int) candor.Step {
	st := candor.Step{
		Name: fmt.Sprintf("s%d", i), Class: rapid.SampledFrom(candor.Classes()).Draw(t, "class"), Run: "true",
		Retries: rapid.IntRange(0, 2).Draw(t, "retries"), Priority: rapid.IntRange(-1, 2).Draw(t, "priority"),
		Backoff: candor.Duration(rapid.SampledFrom([]time.Duration{0, 0, 3 * time.Second, time.Minute}).Draw(t, "backoff")),
	}
	if st.Class == candor.ClassLLM {
		st.Model = rapid.SampledFrom([]string{"m", "m", "other"}).Draw(t, "model")
		st.Accept = rapid.SampledFrom([][]string{nil, nil, nil, {"other"}, {"m"}}).Draw(t, "accept")
		st.Accept = slices.DeleteFunc(slices.Clone(st.Accept), func(name string) bool { return name == st.Model })
		st.Context = rapid.SampledFrom([]int{0, 0, 0, 8192}).Draw(t, "context")
	}
	switch rapid.IntRange(0, 9).Draw(t, "requires") {
	case 0:
		st.Requires.Labels = []string{"fast"}
	case 1:
		st.Requires.Tools = []string{"ffmpeg"}
	case 2:
		st.Requires.Worker = "w1"
	case 3, 4:
		st.VRAM = candor.Bytes(rapid.IntRange(1, 6).Draw(t, "vram")) * candor.GiB
	}
	for j := range before {
		if rapid.IntRange(0, 2).Draw(t, "need?") == 0 {
			st.Needs = append(st.Needs, candor.Need{
				Step: before[j].Name, Each: rapid.Bool().Draw(t, "each"), AllowFailed: rapid.IntRange(0, 3).Draw(t, "allow") == 0,
			})
		}
	}
	drawEach(t, before, &st)
	return st
}

// drawEach draws what a step fans out over, and adds the needs that this takes.
func drawEach(t *rapid.T, before []candor.Step, st *candor.Step) {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	switch {
	case kind == 0:
		st.Each = &candor.Each{Items: drawItems(t)}
	case kind == 1 && len(before) > 0:
		up := &before[rapid.IntRange(0, len(before)-1).Draw(t, "same as")]
		if up.Each != nil {
			st.Each = &candor.Each{Same: up.Name}
			setNeed(st, up.Name, true)
		}
	case kind <= 3 && len(before) > 0:
		up := &before[rapid.IntRange(0, len(before)-1).Draw(t, "from")]
		if up.Each == nil {
			up.Outputs = map[string]string{"list": "list.json"}
			st.Each = &candor.Each{From: &candor.Manifest{Step: up.Name, Output: "list"}}
			setNeed(st, up.Name, false)
		}
	}
}

func setNeed(st *candor.Step, step string, each bool) {
	for i := range st.Needs {
		if n := &st.Needs[i]; n.Step == step {
			n.Each, n.AllowFailed = each && n.Each, n.AllowFailed && each
			return
		}
	}
	st.Needs = append(st.Needs, candor.Need{Step: step, Each: each})
}

func drawItems(t *rapid.T) []json.RawMessage {
	items := []json.RawMessage{}
	for i := range rapid.IntRange(0, 4).Draw(t, "items") {
		items = append(items, json.RawMessage(fmt.Sprint(i)))
	}
	return items
}
