package cli

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
	"candor/internal/config"
)

func (a *app) runVerb() *cobra.Command {
	var waits bool
	cmd := &cobra.Command{
		Use:   "run PLAN",
		Short: "Run one plan from start to end on this machine",
		Long: `Checks PLAN, starts a brain and workers for it (or uses the brain that already
answers for the state directory), shows progress, and ends with what failed and
the paths of the outputs that no other step takes. What it started, it stops;
another run that used it starts its own then, and goes on with its batch.
The first INT or TERM cancels the batch and ends its processes in order; the
second does not wait. (The same signal again within half a second is no second
one.) When nothing of the batch runs and no worker, even idle, could take what
is queued, the batch is cancelled; --wait-for-workers waits for one to join.
Leaves with 0, 3 if tasks failed, 4 if the batch was cancelled, 5 if a step fits
on no worker, 124 if --timeout ran out, 130 or 143 after a signal.`,
		Example: lines("candor run examples/library/plan.yaml", "candor run plan.yaml -i folder=docs --workers 3",
			"candor run plan.yaml --state ./state --json"),
		Args: exactly("PLAN"), Annotations: map[string]string{ownSignals: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			sub, err := a.readPlan(cmd, args[0])
			if err != nil {
				return err
			}
			cfg, err := a.config(cmd)
			if err != nil {
				return err
			}
			r := &runner{a: a, cmd: cmd, cfg: cfg, sub: sub, awaitsWorkers: waits}
			return r.run(cmd.Context())
		},
	}
	a.addInputs(cmd)
	addOutput(cmd)
	addTimeout(cmd)
	a.farmFlags(cmd)
	cmd.Flags().BoolVar(&waits, "wait-for-workers", false, "let a step that fits on no worker wait for one that may join")
	return cmd
}

// runner is one call of run.
type runner struct {
	a      *app
	cmd    *cobra.Command
	cfg    *config.Loaded
	sub    *candor.Submission
	client *client.Client

	awaitsWorkers bool // a step that fits on no worker waits for one that may join

	own     atomic.Pointer[started] // the farm of this run; nil: somebody else's brain
	release func() error            // what is left to do once own has ended; set before own is
}

func (r *runner) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stops, err := r.a.watchStops(ctx)
	if err != nil {
		return err
	}
	if r.client, err = r.a.clientAt(r.cfg, r.cfg.Brain.URL); err != nil {
		return err
	}
	defer r.client.Close()
	if err := r.findBrain(ctx, stops); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(stops)) }()
	working, giveUp := context.WithCancel(ctx) // signals are heard after it, too
	defer giveUp()
	var batch submitted
	var worked error // valid once done is closed
	done := make(chan struct{})
	go func() {
		defer close(done)
		worked = r.work(working, &batch)
	}()
	select {
	case <-done:
		return worked
	case word := <-stops:
		return r.interrupt(working, giveUp, word, stops, done, &batch)
	}
}

// work submits the plan, follows the batch and writes how it ended.
func (r *runner) work(ctx context.Context, batch *submitted) error {
	limited, cancel := ctx, func() {}
	if limit, _ := r.cmd.Flags().GetDuration("timeout"); limit > 0 {
		limited, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	reply, err := r.submit(ctx) // uncut: what was created must be named
	if err != nil {
		return err
	}
	batch.set(reply.Batch)
	if r.own.Load() == nil { // workers of our own are still on their way: what they cannot take is told later
		r.a.warnings(reply.Warnings)
	}
	r.a.talk("%s: %s as %s", r.sub.Name, plural(reply.Tasks, "task"), reply.Batch)
	return r.follow(ctx, limited, reply.Batch)
}

// follow waits for the batch within limited, and cancels it within ctx if it
// cannot go on or the time has run out.
func (r *runner) follow(ctx, limited context.Context, id candor.BatchID) error {
	watched, cancel := context.WithCancelCause(limited)
	defer cancel(nil)
	shown := r.a.progress()
	idle := idleWatch{r: r}
	how := waiting{known: true, away: func(ctx context.Context, since time.Duration) error { return r.takeOver(ctx, id, since) }}
	b, err := r.a.awaitBatchWith(watched, r.client, id, how, func(b candor.Batch) {
		shown.update(b)
		if reason := idle.look(watched, b); reason != nil {
			cancel(&candor.Error{Code: candor.CodeUnplaceable, Message: reason.Text, Hint: reason.Next})
		}
	})
	shown.stop()
	if never, ok := errors.AsType[*candor.Error](context.Cause(watched)); ok {
		return errors.Join(never, r.cancel(ctx, id))
	}
	if err != nil {
		if candor.CodeOf(err) == candor.CodeTimeout {
			out := candor.Errorf(candor.CodeTimeout, "the time given by --timeout ran out; %s is cancelled", id)
			err = errors.Join(out, r.cancel(ctx, id))
		}
		return err
	}
	if err := r.answer(ctx, b, how); err != nil {
		return err
	}
	if b.Counts[candor.TaskFailed] > 0 && r.own.Load() != nil {
		r.a.talk("the brain of this run has ended; candor up --state %s brings it back to ask it", r.cfg.State)
	}
	return ended(b.Outcome)
}

// answer writes how the batch ended. A brain that ends just now is asked again.
func (r *runner) answer(ctx context.Context, b candor.Batch, how waiting) error {
	var report batchReport
	err := r.a.pollWith(ctx, how, func(ctx context.Context, _ time.Duration) (_ bool, err error) {
		report, err = readBatch(ctx, r.client, b.ID)
		return true, err
	})
	if err != nil {
		return err
	}
	return r.a.showEnding(r.cmd, report)
}

// cancelPatience is how long a brain may be away before a batch that is to be
// cancelled is left as it is.
const cancelPatience = 5 * time.Second

// cancel ends the batch and waits until its processes are gone.
func (r *runner) cancel(ctx context.Context, id candor.BatchID) error {
	asked := false
	how := waiting{known: true, quiet: true, away: func(_ context.Context, since time.Duration) error {
		if since < cancelPatience {
			return nil
		}
		return &candor.Error{
			Code: candor.CodeUnavailable, Message: fmt.Sprintf("no brain answers: %s is not cancelled", id),
			Hint: fmt.Sprintf("candor cancel %s, once one answers", id),
		}
	}}
	return r.a.pollWith(ctx, how, func(ctx context.Context, hold time.Duration) (bool, error) {
		if !asked {
			if _, err := r.client.Cancel(ctx, candor.ChangeRequest{Targets: []string{id.String()}, By: r.a.by(), Why: "candor run was stopped"}); err != nil {
				return false, err
			}
			asked = true
		}
		b, err := r.client.AwaitBatch(ctx, id, hold)
		return b.State == candor.BatchComplete, err
	})
}

// interrupt is what signals do to a run: the first cancels the batch and ends
// its processes in order, the second stops without waiting for anybody.
func (r *runner) interrupt(ctx context.Context, giveUp context.CancelFunc, word string, stops <-chan string, done <-chan struct{}, batch *submitted) error {
	cause := &interrupted{signalOf(word)}
	id := batch.get()
	if id == 0 {
		giveUp()
		<-done
		return cause
	}
	r.a.talk("cancelling %s; once more interrupts at once", id)
	gone := make(chan error, 1)
	go func() { gone <- r.cancel(ctx, id) }()
	var failed error
	hurried := false
	for {
		select {
		case err := <-gone:
			if err != nil && !hurried {
				failed = err
				giveUp() // it would wait for an end that nobody has asked for
			}
		case <-stops:
			hurried = true
			giveUp()
		case <-done: // it has written how the batch ended, or given up
			if farm := r.own.Load(); farm != nil && hurried {
				farm.stop()
				farm.farm.hurry()
			}
			return errors.Join(cause, failed)
		}
	}
}
