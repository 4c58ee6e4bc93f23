package sched

import (
	"testing"
	"time"

	"candor"
)

// Each card is held by its own process: none stands for the others.
func TestEachCardNamesItsOwnHolder(t *testing.T) {
	f := newFarm(t, Config{})
	for i, name := range []string{"gpu-0", "gpu-1", "gpu-2"} {
		v := serving()
		v.GPU = &candor.GPU{Total: 8 * candor.GiB, Free: candor.GiB, Others: []candor.GPUProcess{{PID: 4240 + i, Name: "train", VRAM: 7 * candor.GiB}}}
		f.joinServing(name, []string{"m"}, v)
	}
	f.s.models["m"] = &measured{ModelRecord: ModelRecord{Name: "m", VRAM: 4 * candor.GiB}}
	b := f.submit(llm("topics", "m", 3)).Batch
	f.pass(time.Second)
	f.expect(f.why(f.tasksOf(b)[0].id), candor.ReasonVRAMHeld,
		"gpu-0: no load of m was ordered: 1 GiB free of 8 GiB, held by pid 4240 (train)", "gpu-1: ", "pid 4241", "gpu-2: ", "pid 4242")
}
