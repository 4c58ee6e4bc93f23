package cli

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"candor"
)

const (
	// placingPatience is how long nothing may run, with all workers of a run
	// there, before its queued steps are asked why.
	placingPatience = 3 * time.Second
	// joiningPatience is the same with somebody else's brain, of whose workers
	// one cannot know how many are still to come.
	joiningPatience = 10 * time.Second
)

// idleWatch sees that a run cannot go on: none of the workers, even idle, could
// ever take what is queued.
type idleWatch struct {
	r     *runner
	since time.Time // nothing has run since
}

// look returns the reason why nothing of b will ever run again, nil if it may.
func (w *idleWatch) look(ctx context.Context, b candor.Batch) *candor.Reason {
	if w.r.awaitsWorkers || b.State == candor.BatchComplete || b.Counts[candor.TaskProcessing] > 0 || b.Counts[candor.TaskQueued] == 0 {
		w.since = time.Time{}
		return nil
	}
	now := w.r.a.clk.Now()
	if w.since.IsZero() {
		w.since = now
	}
	if now.Sub(w.since) < w.patience() || !w.complete(ctx) {
		return nil
	}
	var reason *candor.Reason // the last step's: all are alike in that nothing of them will run
	for _, step := range b.Steps {
		if step.Counts[candor.TaskQueued] == 0 {
			continue
		}
		if reason = w.never(ctx, b.ID, step.Name); reason == nil {
			w.since = now // ask again after another while
			return nil
		}
	}
	return reason
}

func (w *idleWatch) patience() time.Duration {
	if w.r.own.Load() == nil {
		return joiningPatience
	}
	return placingPatience
}

// complete tells whether every worker of the run has joined; with somebody
// else's brain, whether there is one at all.
func (w *idleWatch) complete(ctx context.Context) bool {
	want := 1
	if own := w.r.own.Load(); own != nil {
		want = len(own.farm.workers)
	}
	st, err := w.r.client.Status(ctx)
	return err == nil && st.Alive >= want
}

// never is the reason of a queued task of a step, if no worker could ever take it.
func (w *idleWatch) never(ctx context.Context, id candor.BatchID, step string) *candor.Reason {
	tasks, err := w.r.client.Tasks(ctx, "", candor.TaskQuery{Batch: id, Step: step, State: candor.TaskQueued, Limit: 1})
	if err != nil || len(tasks) == 0 {
		return nil
	}
	x, err := w.r.client.Why(ctx, tasks[0].ID.String())
	if err != nil || x.Reason.Code != candor.ReasonUnplaceable {
		return nil
	}
	if x.Reason.Next == "" {
		x.Reason.Next = placingHint(tasks[0], x.Workers)
	}
	return &x.Reason
}

// placingHint is what would let a task run on this machine: the remedy of what a
// worker says no to. One that does not take the class at all is the least near.
func placingHint(t candor.Task, workers []candor.WorkerChecks) string {
	hint := "candor preview PLAN says what each worker could take"
	for _, w := range workers {
		i := slices.IndexFunc(w.Checks, func(c candor.Check) bool { return !c.OK && c.Verdict == candor.VerdictNever })
		if i < 0 {
			continue
		}
		switch c := w.Checks[i]; c.Code {
		case candor.ReasonWrongClass:
			hint = classHint(t.Class)
		case candor.ReasonModelMissing:
			return fmt.Sprintf("fetch it (ollama pull %s), or name another model: %s %s", t.Model, w.Worker, c.Actual)
		case candor.ReasonVRAMTotal:
			return fmt.Sprintf("a larger card, or less vram in the plan: wanted %s, there is %s", c.Wanted, c.Actual)
		case candor.ReasonLabel:
			return "worker.labels in the configuration gives workers labels: wanted " + c.Wanted
		case candor.ReasonTool:
			return fmt.Sprintf("install it, so that it is on the PATH, or let worker.tools offer it: wanted %s, %s has %s", c.Wanted, w.Worker, c.Actual)
		}
	}
	return hint
}

// classHint is what a machine needs for workers that take a class.
func classHint(c candor.Class) string {
	switch c {
	case candor.ClassLLM:
		return "llm tasks need a model server: candor doctor says how to get one, models.url names one that runs"
	case candor.ClassScript:
		return "script tasks need a card: candor doctor says what was found; class cpu needs none"
	default:
		return "worker.classes in the configuration says which classes workers take"
	}
}

// submitted is the batch of a run once there is one.
type submitted struct{ id atomic.Int64 }

func (s *submitted) set(id candor.BatchID) { s.id.Store(int64(id)) }
func (s *submitted) get() candor.BatchID   { return candor.BatchID(s.id.Load()) }
