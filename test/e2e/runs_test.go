//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"candor"
)

// TestRunsAtOnce: of several runs that begin together on one state, one starts
// brain and workers, the others use them, and none ends what another's run.
func TestRunsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	plan := f.plan("short", `
		a: {foreach: {items: [1, 2, 3]}, run: "sleep 0.4"}
	`)
	var runs []*proc
	for i := range 5 {
		runs = append(runs, f.start(fmt.Sprintf("run-%d", i), "run", plan, "--workers", "1", "--slots", "2"))
	}
	for _, p := range runs {
		if code := p.wait(); code != 0 {
			t.Errorf("%s left with %d:\n%s", p.name, code, p.output())
		}
		if strings.Contains(p.output(), "KILL") {
			t.Errorf("%s:\n%s", p.name, p.output())
		}
	}
	for _, l := range f.log("run") {
		if text := fmt.Sprint(l); strings.Contains(text, "Ended what") || strings.Contains(text, "already runs") {
			t.Errorf("the log says %s", text)
		}
	}
	f.nothingLeft()
}

// joinedRun starts a run of a gated batch on the brain of another, and waits
// until it has its batch.
func (f *farm) joinedRun(name, tasks string, flags ...string) *proc {
	f.t.Helper()
	p := f.start(name, append([]string{"run", f.plan(name, tasks), "--workers", "1", "--slots", "2"}, flags...)...)
	f.until(name+" has its batch", func() bool { return strings.Contains(p.output(), " as b_") })
	if !strings.Contains(p.output(), "using the brain at") {
		f.t.Errorf("%s did not join:\n%s", name, p.output())
	}
	return p
}

// TestRunOutlivesTheOneItJoined: the brain of a run ends with it, in order or
// not; a second run that used it goes on with one of its own.
func TestRunOutlivesTheOneItJoined(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *farm, first *proc){
		"ended": func(f *farm, first *proc) {
			f.write("first", "")
			if code := first.wait(); code != 0 {
				f.t.Errorf("the first run left with %d", code)
			}
		},
		"interrupted": func(f *farm, first *proc) {
			first.signal(syscall.SIGINT)
			if code := first.wait(); code != 130 {
				f.t.Errorf("the first run left with %d", code)
			}
		},
		"killed": func(_ *farm, first *proc) { first.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t, settings{"worker.grace": "1s"})
			first := f.start("first", "run", f.plan("first", `
				a: {run: "`+f.gated("first")+`"}
			`), "--workers", "1", "--slots", "2")
			f.until("the first run has its batch", func() bool { return strings.Contains(first.output(), " as b_") })
			second := f.joinedRun("second", `
				a: {foreach: {items: [1, 2, 3]}, run: "`+f.gated("second")+`"}
			`)
			end(f, first)
			f.until("the second one starts a brain", func() bool {
				return strings.Contains(second.output(), "the brain has ended; starting one here to finish b_")
			})
			f.write("second", "")
			if code := second.wait(); code != 0 {
				t.Errorf("the second run left with %d:\n%s", code, second.output())
			}
			if !strings.Contains(second.output(), "3 of 3 complete") {
				t.Errorf("the second run:\n%s", second.output())
			}
			f.nothingLeft()
		})
	}
}

// TestRunDoesNotTakeOverWhatComesBack: a brain that is only being started again
// by whoever keeps it is waited for.
func TestRunDoesNotTakeOverWhatComesBack(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	p := f.joinedRun("joined", `
		a: {run: "`+f.gated("go")+`"}
	`)
	st, err := f.c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(st.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.until("the run knows", func() bool { return strings.Contains(p.output(), "the brain is back") })
	f.write("go", "")
	if code := p.wait(); code != 0 || strings.Contains(p.output(), "starting one here") {
		t.Errorf("it left with %d:\n%s", code, p.output())
	}
}

// TestRunInterruptedWithoutBrain: signals end a run whose brain is away, the
// first one in a while, the second at once.
func TestRunInterruptedWithoutBrain(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]bool{"once": false, "twice": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t, nil)
			brain := f.brain()
			// A brain that was named is not taken over.
			p := f.joinedRun("joined", slow, "--brain", "unix://"+f.state+"/candor.sock")
			brain.kill()
			f.until("the run knows", func() bool { return strings.Contains(p.output(), "the brain went away") })
			p.signal(syscall.SIGTERM)
			f.until("it tries to cancel", func() bool { return strings.Contains(p.output(), "cancelling") })
			if second {
				p.signal(syscall.SIGINT)
			}
			if code := p.wait(); code != 143 {
				t.Errorf("it left with %d:\n%s", code, p.output())
			}
			if told := strings.Contains(p.output(), "is not cancelled"); told == second {
				t.Errorf("it says:\n%s", p.output())
			}
		})
	}
}

// TestRunHearsAnEchoOnce: timeout(1) signals the process and then its group.
func TestRunHearsAnEchoOnce(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	p := f.joinedRun("joined", `
		stubborn: {run: "trap '' TERM; sleep 3303 & while :; do wait; done"}
	`)
	f.until("it runs", func() bool { return len(f.alive("sleep 3303")) == 1 })
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 143 {
		t.Errorf("it left with %d", code)
	}
	all, err := f.c.Batches(t.Context(), candor.BatchQuery{})
	if err != nil || len(all) != 1 || all[0].Outcome != candor.OutcomeCancelled {
		t.Errorf("the batch: %+v, %v", all, err)
	}
}

// TestJoinedRunCannotBePlaced: nor is it waited for ever with somebody else's
// workers, unless that was asked for.
func TestJoinedRunCannotBePlaced(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	never := `
		a: {run: "true", requires: {labels: [nobody]}}
	`
	patient := f.joinedRun("patient", never, "--wait-for-workers")
	r := f.candor("run", f.plan("never", never)).exits(5)
	r.says("fits on 0 of 1 worker", "nobody")
	f.work("late", "--labels", "nobody")
	if code := patient.wait(); code != 0 {
		t.Errorf("the patient one left with %d:\n%s", code, patient.output())
	}
	all, err := f.c.Batches(t.Context(), candor.BatchQuery{})
	if err != nil || len(all) != 2 || all[0].Outcome != candor.OutcomeCancelled || all[1].Outcome != candor.OutcomeSucceeded {
		t.Errorf("the batches: %+v, %v", all, err)
	}
}
