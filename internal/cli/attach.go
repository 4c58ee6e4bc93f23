package cli

import (
	"context"
	"errors"
	"net"
	"time"

	"candor"
	"candor/internal/config"
	"candor/internal/store/sqlite"
)

const (
	// keeperPatience is how long a run waits for the brain that somebody else is
	// starting, or for that one to give up.
	keeperPatience = time.Minute
	// returnPatience is how long a brain that nobody's run had started may be
	// away before a run starts one in its place: a service is given the time to
	// start it again.
	returnPatience = 10 * time.Second
)

// findBrain uses the brain that answers, or starts one with workers. Of several
// runs at once, one starts it, and the others use it.
func (r *runner) findBrain(ctx context.Context, stops <-chan string) error {
	begun, told := r.a.clk.Now(), false
	for pause := pollFirst; ; pause = min(pause*3/2, pollLongest) {
		err := r.client.Health(ctx)
		code := candor.CodeOf(err)
		switch {
		case err == nil:
			r.a.talk("using the brain at %s", r.cfg.Brain.URL)
			return nil
		case r.named(), code != candor.CodeUnavailable && code != candor.CodeRetry:
			return err // a brain that was named is not ours to start
		}
		started, err := r.startAlone(ctx, stops, "")
		if started || err != nil {
			return err
		}
		if r.a.clk.Now().Sub(begun) > keeperPatience {
			return lastKeeper(r.cfg).busy(r.cfg)
		}
		if !told {
			told = true
			r.a.talk("waiting for %s, which keeps the brain of %s", lastKeeper(r.cfg), r.cfg.State)
		}
		select {
		case <-r.a.clk.After(pause):
		case word := <-stops:
			return &interrupted{signalOf(word)}
		case <-ctx.Done():
			return timedOut(ctx)
		}
	}
}

// named tells whether the brain was named by somebody, and thus is theirs.
func (r *runner) named() bool { return r.cfg.Origin("brain.url").Layer != config.LayerDefault }

// startAlone starts brain and workers if nobody else keeps a farm for the state
// and no brain has come up meanwhile. say is told before, unless it is empty.
func (r *runner) startAlone(ctx context.Context, stops <-chan string, say string) (started bool, err error) {
	if err := r.a.makeState(r.cfg); err != nil {
		return false, err
	}
	lock, err := keepFarm(r.cfg, keptByRun)
	if lock == nil || err != nil {
		return false, err
	}
	// Whoever had the lock before may have left a brain.
	if r.client.Health(ctx) == nil {
		return false, lock.release()
	}
	if say != "" {
		r.a.talk("%s", say)
	}
	if err := r.startFarm(ctx, stops, lock); err != nil {
		return false, errors.Join(err, lock.release())
	}
	return true, nil
}

// startFarm starts brain and workers; close stops them again.
func (r *runner) startFarm(ctx context.Context, stops <-chan string, lock *keeping) error {
	console := r.a.Err
	if r.a.verbose == 0 {
		console = nil
	}
	log, err := r.a.openLog(r.cfg, "run", console)
	if err != nil {
		return err
	}
	farm, err := r.a.newFarm(r.cfg, r.client, log.Logger(), console).start(ctx)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	if err := farm.begin(ctx, stops); err != nil {
		return errors.Join(err, farm.end(), log.Close())
	}
	r.release = func() error { return errors.Join(log.Close(), lock.release()) }
	r.own.Store(farm)
	return nil
}

// close stops what the run has started; each further stop hurries it.
func (r *runner) close(stops <-chan string) error {
	farm := r.own.Load()
	if farm == nil {
		return nil
	}
	farm.stop()
	return errors.Join(farm.wait(stops), r.release())
}

// takeOver starts a brain in place of one that has ended, so that a batch which
// was given to somebody else's gets done: the brain of another run ends with it.
// The batch is in the state, and goes on where it was.
func (r *runner) takeOver(ctx context.Context, id candor.BatchID, away time.Duration) error {
	if r.own.Load() != nil || r.named() { // it is being started again, or not ours to start
		return nil
	}
	if lastKeeper(r.cfg).verb != keptByRun && away < returnPatience {
		return nil
	}
	if who, err := sqlite.Leader(string(r.cfg.State)); err != nil || who != "" {
		return nil // it lives, though it does not answer; or it cannot be told
	}
	_, err := r.startAlone(ctx, nil, "the brain has ended; starting one here to finish "+id.String())
	return err
}

// submit gives the plan to the brain. One that was not there any more to be
// spoken to has taken nothing: another is found, or started.
func (r *runner) submit(ctx context.Context) (candor.SubmitReply, error) {
	for {
		reply, err := r.client.Submit(ctx, *r.sub)
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" || r.own.Load() != nil {
			return reply, err
		}
		if err := r.findBrain(ctx, nil); err != nil {
			return reply, err
		}
	}
}
