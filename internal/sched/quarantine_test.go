package sched

import (
	"fmt"
	"testing"
	"time"

	"candor"
)

// failAll lets a worker claim and fail n tasks, one after the other.
func failAll(f *farm, name string, n int) (failed []candor.TaskID) {
	for range n {
		a := f.take(name)
		failed = append(failed, a.Task)
		f.hand(name, ended(a, candor.AttemptFailed, candor.ReasonExitCode, "exit 1"))
		f.pass(10 * time.Second)
		f.beat("good")
	}
	return failed
}

// F47: every task fails on one worker and none elsewhere. The worker is shut
// out, and the tasks get their attempts back.
func TestABadWorkerIsQuarantined(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("bad")
	f.join("good")
	f.submit(cpu("s", items(12)))
	a := f.take("good")
	f.hand("good", done(a))
	failed := failAll(f, "bad", 5)
	f.expect(f.why("bad"), candor.ReasonQuarantined, "5 different tasks failed on bad in 40s, 0 elsewhere")
	has(t, f.toldOf(candor.EventQuarantined), "Worker bad quarantined", "candor resume worker:bad")
	if r := f.claim("bad"); len(r.Tasks) > 0 || r.Report.Refused[candor.ReasonQuarantined] == 0 {
		t.Fatalf("it still gets work, or another reason: %+v", r.Report)
	}
	for _, id := range failed {
		if task := f.s.tasks.find(id); task.state != queued || task.counted != 0 {
			t.Fatalf("%s is %s with %d counted: its attempt was not given back", task.name(), stateNames[task.state], task.counted)
		}
	}
	f.do(Resume{candor.ChangeRequest{Targets: []string{"worker:bad"}, By: "ann"}})
	f.take("bad")
}

// A bad plan fails everywhere: no worker is to blame.
func TestABadPlanQuarantinesNobody(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("bad")
	f.join("good")
	f.submit(cpu("s", items(20)))
	f.hand("good", done(f.take("good")))
	f.hand("good", ended(f.take("good"), candor.AttemptFailed, candor.ReasonExitCode, "exit 1"))
	failAll(f, "bad", 8)
	if f.s.workers["bad"].quarantined != nil {
		t.Fatal("quarantined, though tasks fail elsewhere too")
	}
}

// Alone, a worker cannot be told from its tasks.
func TestALoneWorkerIsNotQuarantined(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("bad")
	f.join("good")
	f.submit(cpu("s", items(20)))
	failAll(f, "bad", 8)
	if f.s.workers["bad"].quarantined != nil {
		t.Fatal("quarantined without anything to compare with")
	}
}

// F45: a job that swallows its errors writes the same stump again and again.
func TestIdenticalOutputsAreFlagged(t *testing.T) {
	for _, c := range []struct {
		same, total int
		want        string
	}{
		{42, 125, "42 of 125 outputs identical: out of step s"},
		{10, 125, ""}, // a few may well be alike
		{5, 5, ""},    // too few to tell
	} {
		t.Run(fmt.Sprintf("%d of %d", c.same, c.total), func(t *testing.T) {
			f := newFarm(t, Config{})
			f.join("w1")
			b := f.submit(cpu("s", items(c.total))).Batch
			for i := range c.total {
				r := done(f.take("w1"))
				sum := "same"
				if i >= c.same {
					sum = fmt.Sprint(i)
				}
				r.Outputs = map[string]candor.Output{"out": {SHA256: sum, Size: 17}}
				f.hand("w1", r)
			}
			flag := f.s.batches[b].steps[0].flag
			if c.want == "" {
				if flag != nil {
					t.Fatal(flag.Text)
				}
				return
			}
			if flag == nil {
				t.Fatal("no flag")
			}
			has(t, flag.Text, c.want)
			has(t, f.toldOf(candor.EventStepIdentical), c.want)
		})
	}
}
