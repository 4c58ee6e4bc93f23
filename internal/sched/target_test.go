package sched

import (
	"testing"

	"candor"
)

// TestWorkersByTheBeginningOfTheirNames as batches and tasks are named, and a
// whole name before the beginning of another.
func TestWorkersByTheBeginningOfTheirNames(t *testing.T) {
	f := newFarm(t, Config{})
	for _, name := range []string{"rig", "rig-2", "worker-1"} {
		f.join(name)
	}
	for name, want := range map[string]string{"worker:w": "worker:worker-1", "work": "worker:worker-1", "worker:rig": "worker:rig", "rig-": "worker:rig-2"} {
		reply, err := f.try(Drain{Req: change(name)})
		if err != nil || reply.(candor.ChangeReply).Changed[0].Target != want {
			t.Errorf("%s: %+v, %v, want %s", name, reply, err, want)
		}
	}
	for name, want := range map[string]candor.Code{"worker:ri": candor.CodeAmbiguous, "ri": candor.CodeAmbiguous, "worker:": candor.CodeNotFound, "worker:x": candor.CodeNotFound} {
		if reply, err := f.try(Drain{Req: change(name)}); candor.CodeOf(err) != want {
			t.Errorf("%s: %+v, %v, want %s", name, reply, err, want)
		}
	}
}
