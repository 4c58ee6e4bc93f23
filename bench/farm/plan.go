package main

import (
	"encoding/json"
	"fmt"

	"candor"
	"candor/internal/sched"
)

// perBatch bounds the tasks of one batch, so that a run has many of them.
const perBatch = 50_000

// submit puts all work into the queue: batches of three kinds of task over the
// same items, with a task that waits for all of them.
func (f *farm) submit(tasks int) error {
	for n := 0; f.tasks < tasks; n++ {
		items := max(min(tasks-f.tasks, perBatch)/3, 1)
		reply, err := f.apply(sched.Submit{Sub: plan(n, items)})
		if err != nil {
			return err
		}
		f.tasks += reply.(candor.SubmitReply).Tasks
		f.commit()
	}
	f.ended = make([]uint8, f.tasks+1)
	return nil
}

// plan is passages → topics and pictures item by item → index.
func plan(n, items int) candor.Submission {
	each := make([]json.RawMessage, items)
	for i := range each {
		each[i] = json.RawMessage(fmt.Sprintf(`"library/%d/%d.md"`, n, i))
	}
	byItem := []candor.Need{{Step: "passages", Each: true}}
	return candor.Submission{Name: fmt.Sprintf("library-%d", n), Steps: []candor.Step{
		{Name: "passages", Class: candor.ClassCPU, Run: "split", Each: &candor.Each{Items: each}, Retries: 3, Priority: n % 3},
		{Name: "topics", Class: candor.ClassLLM, Model: models[n%len(models)], Run: "topics", Retries: 3,
			Each: &candor.Each{Same: "passages"}, Needs: byItem},
		{Name: "pictures", Class: candor.ClassScript, VRAM: candor.Bytes(2+4*(n%3)) * candor.GiB, Run: "pictures", Retries: 3,
			Requires: candor.Requires{Tools: []string{"ffmpeg"}}, Each: &candor.Each{Same: "passages"}, Needs: byItem},
		{Name: "index", Class: candor.ClassCPU, Run: "index", Needs: []candor.Need{
			{Step: "topics", AllowFailed: true}, {Step: "pictures", AllowFailed: true}}},
	}}
}

var models = []string{"qwen2.5:7b", "llama3.2:3b"}

// info is what worker i says of itself: four kinds of machine.
func info(i int) (candor.WorkerInfo, candor.View) {
	in := candor.WorkerInfo{Name: fmt.Sprintf("worker-%04d", i), Host: fmt.Sprintf("rig-%d", i/8), Slots: 1 + i%4}
	view := candor.View{State: candor.WorkerReady}
	if i%2 == 0 {
		in.Supervisor = fmt.Sprintf("up-%d", i/8)
	}
	if i%5 == 4 {
		in.Classes = []candor.Class{candor.ClassCPU}
		return in, view
	}
	size := candor.Bytes(8<<(i%3)) * candor.GiB
	in.Classes, in.Tools, in.GPU = candor.Classes(), []string{"ffmpeg"}, &candor.GPU{Name: "GPU", Total: size, Free: size}
	return in, candor.View{State: candor.WorkerHot, Model: models[i%len(models)]}
}
