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

// Results of prompts hold times and ids, so that no two are the same: their
// answers are compared, of single rows and of chunks.
func TestIdenticalAnswersAreFlagged(t *testing.T) {
	for _, c := range []struct {
		name       string
		tasks      int
		rows, same int // of each task
		want       string
	}{
		{"single rows", 40, 1, 1, "40 of 40 answers identical: of step s"},
		{"chunks", 3, 20, 6, "18 of 60 answers identical: of step s"},
		{"not many", 3, 20, 2, ""},
		{"none that says much", 40, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFarm(t, Config{})
			f.joinServing("w1", []string{"m"}, serving(ready("m", candor.GiB)))
			st := llm("s", "m", c.tasks)
			st.Run, st.LLM = "", &candor.LLM{Messages: []candor.Message{{Role: candor.RoleUser, Parts: []candor.Part{{Text: "x"}}}}}
			st.Outputs = st.LLM.Files(false)
			b := f.submit(st).Batch
			for i := range c.tasks {
				r := done(f.asks("w1", serving(ready("m", candor.GiB))).Tasks[0])
				r.Outputs = map[string]candor.Output{candor.OutputResult: {SHA256: "same", Size: 300}}
				r.Rows = &candor.RowTotals{Rows: 20, Compared: c.rows, Answers: map[string]int{"sorry": c.same, fmt.Sprint(i): 1}}
				f.hand("w1", r)
			}
			flag := f.s.batches[b].steps[0].flag
			if (flag == nil) != (c.want == "") {
				t.Fatalf("flagged: %+v, want %q", flag, c.want)
			}
			if flag != nil {
				has(t, flag.Text, c.want)
			}
		})
	}
}
