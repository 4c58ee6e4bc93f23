package brain

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/sched"
	"candor/internal/store"
)

// Options say what a brain works with. Store, Clock and Log are required.
type Options struct {
	Store store.Store
	Sched sched.Config
	Clock clock.Clock
	Log   *slog.Logger
	// Flush hands the log to the kernel after each round; nil: the log sees to it.
	Flush func() error
	// Retention of history, applied every PruneEvery (0 = ten minutes).
	Retention  store.Retention
	PruneEvery time.Duration
	// Pruned is told which batches have left the history, beside the loop, so that
	// what is kept of them elsewhere can go, too. nil: nobody.
	Pruned func(batches []candor.BatchID)
	// Beat is called once a round, at least once a second while the loop lives:
	// a watchdog fed by it sees a stuck loop. nil: nobody.
	Beat func()
	// Holder names who held the store's lock in the last commit; nil: unknown.
	Holder  func() string
	Version string
	PID     int
}

const (
	// maxRound bounds how many commands share a commit, so that the first of
	// them does not wait for ever for its answer.
	maxRound = 1024
	// window is how many recent events are kept for followers; older ones they
	// read from the store.
	window = 8192
	// longGap is a pause between two rounds that the loop, which acts once a
	// second, did not mean to make.
	longGap = 3 * time.Second
	// probeEvery is how often a store in trouble is asked whether it works again.
	probeEvery = time.Second
	// slowCommit is when a commit's duration is worth a warning.
	slowCommit = time.Second
)

// Brain owns the state. Do, Events and Status may be called from anywhere; Run
// is the loop.
type Brain struct {
	// immutable
	opts    Options
	started time.Time
	inbox   chan *request
	stopped chan struct{} // closed when the loop has ended
	events  *log
	lines   chan []line // to the logging goroutine; loop sends

	// loop only
	state *sched.State
	held  []*request
	// waiting came while a commit was slow, and are the next round's.
	waiting []*request
	late    *sched.StoreSlow // a slow commit that is not on record yet
	ready   int64            // of the state, when held claims were last tried
	commit  commitTimes
	meta    sched.Meta // as last loaded
	heard   time.Time  // when the last round was decided
	probed  time.Time  // when the store was last asked whether it works again
	full    error      // the trouble, if it is want of room
	cramped time.Time  // when the store last had no room

	trouble   atomic.Pointer[string]          // why nothing can be committed; nil when all is well
	retention atomic.Pointer[store.Retention] // of history
}

// request is a command on its way.
type request struct {
	ctx   context.Context
	cmd   sched.Command
	reply any
	err   error
	done  chan struct{}
	until time.Time // held until then, if there is nothing better to answer
}

// New loads the state and makes a brain of it. Run must follow.
func New(ctx context.Context, opts Options) (*Brain, error) {
	if opts.PruneEvery == 0 {
		opts.PruneEvery = 10 * time.Minute
	}
	b := &Brain{
		opts: opts, started: opts.Clock.Now(), inbox: make(chan *request, maxRound), stopped: make(chan struct{}),
		lines: make(chan []line, 64),
	}
	snap, err := b.load(ctx)
	if err != nil {
		return nil, err
	}
	b.retention.Store(&opts.Retention)
	b.events = newLog(snap.Meta.NextEvent-1, window)
	return b, nil
}

// load replaces the state by what the store has.
func (b *Brain) load(ctx context.Context) (*sched.Snapshot, error) {
	snap, err := b.opts.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	rules := b.opts.Sched
	if b.state != nil {
		rules = b.state.Config()
	}
	b.state = sched.New(rules, snap)
	b.ready, b.meta = -1, snap.Meta
	return snap, nil
}

// Do hands in a command and returns its reply once its changes are durable.
// Claims, heartbeats and supervisors' reports are held for the wait they ask
// for. A command whose batch has left memory brings it back first; results of
// such tasks are looked up in the store.
func (b *Brain) Do(ctx context.Context, cmd sched.Command) (any, error) {
	if sub, ok := cmd.(sched.Submit); ok {
		if err := b.keyFree(ctx, sub.Sub.Key); err != nil {
			return nil, err
		}
	}
	if err := b.recallFailed(ctx, cmd); err != nil {
		return nil, err
	}
	reply, err := b.do(ctx, cmd)
	if candor.CodeOf(err) == candor.CodeNotFound {
		again, came, trouble := b.recall(ctx, cmd)
		if trouble != nil {
			return nil, trouble
		}
		if came {
			reply, err = b.do(ctx, again)
		}
	}
	switch reply := reply.(type) {
	case candor.Status:
		return b.complete(reply), err
	case candor.Explanation:
		reply.Trouble = b.troubleOr(reply.Trouble)
		return reply, err
	}
	return reply, err
}

// troubleOr is why nothing can be committed, or else what was said of it before.
func (b *Brain) troubleOr(said string) string {
	if t := b.trouble.Load(); t != nil {
		return *t
	}
	return said
}

// Configure changes the rules of deciding and of keeping history while the
// brain runs.
func (b *Brain) Configure(ctx context.Context, rules sched.Config, keep store.Retention) error {
	if _, err := b.do(ctx, sched.Configure{Config: rules}); err != nil {
		return err
	}
	b.retention.Store(&keep)
	return nil
}

func (b *Brain) do(ctx context.Context, cmd sched.Command) (any, error) {
	r := &request{ctx: ctx, cmd: cmd, done: make(chan struct{})}
	select {
	case b.inbox <- r:
	case <-b.stopped:
		return nil, errStopped()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case <-r.done:
		return r.reply, r.err
	case <-b.stopped:
		select {
		case <-r.done:
			return r.reply, r.err
		default:
			return nil, errStopped()
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func errStopped() error {
	return &candor.Error{Code: candor.CodeUnavailable, Message: "the brain is stopping", Hint: "try again when it is back"}
}

// complete adds to a status what only the process knows.
func (b *Brain) complete(st candor.Status) candor.Status {
	st.Version, st.PID, st.Started = b.opts.Version, b.opts.PID, b.started
	st.Trouble = b.troubleOr(st.Trouble)
	return st
}

// Events returns committed events with Seq > after, oldest first, at most max,
// and waits for one if there is none. If some of them are no longer here, it
// returns none and the floor up to which the store has them.
func (b *Brain) Events(ctx context.Context, after int64, max int) ([]candor.Event, int64, error) {
	return b.events.wait(ctx, b.stopped, after, max)
}
