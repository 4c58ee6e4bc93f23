package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
	"candor/internal/config"
)

func (a *app) runVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run PLAN",
		Short: "Run one plan from start to end on this machine",
		Long: `Checks PLAN, starts a brain and workers for it (or uses the brain that already
answers for the state directory), shows progress, and ends with what failed and
the paths of the outputs that no other step takes. What it started, it stops.
The first INT or TERM cancels the batch and ends its processes in order; the
second does not wait. Leaves with 0, 3 if tasks failed, 4 if the batch was
cancelled, 5 if a step fits on no worker, 130 or 143 after a signal.`,
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
			r := runner{a: a, cmd: cmd, cfg: cfg, sub: sub}
			return r.run(cmd.Context())
		},
	}
	a.addInputs(cmd)
	addOutput(cmd)
	addTimeout(cmd)
	a.farmFlags(cmd)
	return cmd
}

// runner is one call of run.
type runner struct {
	a      *app
	cmd    *cobra.Command
	cfg    *config.Loaded
	sub    *candor.Submission
	client *client.Client
	farm   *started // nil: somebody else's brain
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
	closeFarm, err := r.findBrain(ctx, stops)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFarm()) }()
	var batch submitted
	var worked error // valid once done is closed
	done := make(chan struct{})
	go func() {
		defer close(done)
		worked = r.work(ctx, &batch)
	}()
	select {
	case <-done:
		return worked
	case word := <-stops:
		return r.interrupt(ctx, cancel, word, stops, done, &batch)
	}
}

// findBrain uses the brain that answers, or starts one with workers; it returns
// what stops again what it started.
func (r *runner) findBrain(ctx context.Context, stops <-chan string) (func() error, error) {
	err := r.client.Health(ctx)
	switch {
	case err == nil:
		r.a.talk("using the brain at %s", r.cfg.Brain.URL)
		return func() error { return nil }, nil
	case r.cfg.Origin("brain.url").Layer != config.LayerDefault:
		return nil, err // a brain was named: it is not ours to start
	default:
		return r.startFarm(ctx, stops)
	}
}

// startFarm starts brain and workers, and returns what stops them again.
func (r *runner) startFarm(ctx context.Context, stops <-chan string) (func() error, error) {
	if err := r.a.makeState(r.cfg); err != nil {
		return nil, err
	}
	var console = r.a.Err
	if r.a.verbose == 0 {
		console = nil
	}
	log, err := r.a.openLog(r.cfg, "run", console)
	if err != nil {
		return nil, err
	}
	r.farm, err = r.a.newFarm(r.cfg, r.client, log.Logger(), console).start(ctx)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	stop := func() error { return errors.Join(r.farm.end(), log.Close()) }
	if err := r.farm.begin(ctx, stops); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// work submits the plan, follows the batch and writes how it ended.
func (r *runner) work(ctx context.Context, batch *submitted) error {
	if limit, _ := r.cmd.Flags().GetDuration("timeout"); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	reply, err := r.client.Submit(ctx, *r.sub)
	if err != nil {
		return err
	}
	batch.set(reply.Batch)
	if r.farm == nil { // workers of our own are still on their way: what they cannot take is told later
		r.a.warnings(reply.Warnings)
	}
	r.a.talk("%s: %s as %s", r.sub.Name, plural(reply.Tasks, "task"), reply.Batch)
	return r.follow(ctx, reply.Batch)
}

func (r *runner) follow(ctx context.Context, id candor.BatchID) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown := r.a.progress()
	idle := idleWatch{r: r}
	b, err := r.a.awaitBatch(ctx, r.client, id, func(b candor.Batch) {
		shown.update(b)
		if reason := idle.look(ctx, b); reason != nil {
			cancel(&candor.Error{Code: candor.CodeUnplaceable, Message: reason.Text, Hint: reason.Next})
		}
	})
	shown.stop()
	if never, ok := errors.AsType[*candor.Error](context.Cause(ctx)); ok {
		return errors.Join(never, r.cancel(context.WithoutCancel(ctx), id))
	}
	if err != nil {
		if candor.CodeOf(err) == candor.CodeTimeout {
			out := candor.Errorf(candor.CodeTimeout, "the time given by --timeout ran out; %s is cancelled", id)
			err = errors.Join(out, r.cancel(context.WithoutCancel(ctx), id))
		}
		return err
	}
	if err := r.a.answerBatch(ctx, r.cmd, r.client, b); err != nil {
		return err
	}
	if b.Counts[candor.TaskFailed] > 0 && r.farm != nil {
		r.a.talk("the brain of this run has ended; candor up --state %s brings it back to ask it", r.cfg.State)
	}
	return ended(b.Outcome)
}

// cancel ends the batch and waits until its processes are gone.
func (r *runner) cancel(ctx context.Context, id candor.BatchID) error {
	_, err := r.client.Cancel(ctx, candor.ChangeRequest{Targets: []string{id.String()}, By: r.a.by(), Why: "candor run was stopped"})
	if err != nil {
		return err
	}
	_, err = r.a.awaitBatch(ctx, r.client, id, func(candor.Batch) {})
	return err
}

// interrupt is what signals do to a run: the first cancels the batch and ends
// its processes in order, the second stops without waiting.
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
	select {
	case err := <-gone:
		<-done // writes how the batch ended
		return errors.Join(cause, err)
	case <-stops:
		giveUp()
		<-done
		if r.farm != nil {
			r.farm.stop()
			r.farm.farm.hurry()
		}
		return cause
	}
}
