package sched

import (
	"testing"

	"candor"
)

// TestQuarantineByHand shuts a worker out for a reason that a person gives, until
// somebody resumes it.
func TestQuarantineByHand(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("worker-1")
	f.submit(cpu("s"))
	req := candor.ChangeRequest{Targets: []string{"worker:worker-1"}, Quarantine: true, By: "ann@rig"}
	if _, err := f.try(Pause{Req: req}); candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("without a reason: %v", err)
	}
	req.Why = "wrong results"
	if _, err := f.try(Pause{Req: candor.ChangeRequest{Targets: []string{"all"}, Quarantine: true, Why: "x"}}); candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("of all: %v", err)
	}
	f.do(Pause{Req: req})
	has(t, f.toldOf(candor.EventQuarantined), "worker-1", "ann@rig", "wrong results")
	f.expect(f.why("worker-1"), candor.ReasonQuarantined, "wrong results")
	if r := f.claim("worker-1"); len(r.Tasks) > 0 {
		t.Fatalf("it still gets work: %+v", r.Tasks)
	}
	f.do(Resume{Req: change("worker:worker-1")})
	f.take("worker-1")
}
