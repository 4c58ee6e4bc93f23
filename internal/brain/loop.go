package brain

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"candor"
	"candor/internal/record"
	"candor/internal/sched"
)

// Run is the loop. It ends when ctx does, after the round under way, and
// returns nil; an error means that the state could not be loaded again.
func (b *Brain) Run(ctx context.Context) error {
	defer b.stop()
	b.opts.Log.Info(fmt.Sprintf("Brain started at revision %d", b.state.Revision()))
	beside, stopBeside := context.WithCancel(ctx)
	pruned := b.startPruning(beside)
	defer func() { stopBeside(); <-pruned }() // the loop may end before ctx does
	written := make(chan struct{})
	go b.writeLines(written)
	defer func() { close(b.lines); <-written }()
	round := make([]*request, 0, maxRound)
	for {
		round = b.gather(ctx, round[:0])
		if ctx.Err() != nil {
			b.opts.Log.Info("Brain stopping")
			refuse(round, errStopped())
			return nil
		}
		if err := b.turn(ctx, round); err != nil {
			return err
		}
		clear(round) // a submission and its items would stay until the next full round
		if b.opts.Beat != nil {
			b.opts.Beat()
		}
	}
}

func (b *Brain) stop() {
	close(b.stopped)
	refuse(b.held, errStopped())
	refuse(b.waiting, errStopped())
	for {
		select {
		case r := <-b.inbox:
			refuse([]*request{r}, errStopped())
		default:
			return
		}
	}
}

// gather waits for a command or for time to act, and takes what else is there.
func (b *Brain) gather(ctx context.Context, round []*request) []*request {
	now := b.opts.Clock.Now()
	wake := b.state.Next()
	if limit := now.Add(time.Second); wake.After(limit) || b.trouble.Load() != nil {
		wake = limit // what cannot be stored is not tried again without a pause
	}
	for _, r := range b.held {
		if r.until.Before(wake) {
			wake = r.until
		}
	}
	if n := min(len(b.waiting), maxRound); n > 0 {
		round = append(round, b.waiting[:n]...)
		b.waiting = slices.Delete(b.waiting, 0, n)
		wake = now // there is something to do
	}
	select {
	case r := <-b.inbox:
		round = append(round, r)
	case <-b.opts.Clock.After(wake.Sub(now)):
	case <-ctx.Done():
		return round
	}
	for len(round) < maxRound {
		select {
		case r := <-b.inbox:
			round = append(round, r)
		default:
			return round
		}
	}
	return round
}

// turn is one round: decide, commit, answer.
func (b *Brain) turn(ctx context.Context, round []*request) error {
	now := b.opts.Clock.Now()
	round = b.turnAway(ctx, round)
	answers, broken := b.decide(now, round)
	if broken != nil {
		return b.reload(ctx, round, answers, broken)
	}
	changes := b.state.Take()
	if changes != nil {
		if err := b.store(ctx, changes); err != nil {
			return b.reload(ctx, round, answers, err)
		}
	} else {
		b.probe(ctx, now)
	}
	for _, r := range answers {
		close(r.done)
	}
	if changes != nil {
		b.tell(changes.Events)
	}
	return nil
}

// decide applies a round of commands, lets time pass, and tries what is held.
// It returns the requests that have their answer. A panic in deciding is a bug
// of ours that must not take the queue down: the round is given up.
func (b *Brain) decide(now time.Time, round []*request) (answers []*request, broken error) {
	var current sched.Command
	defer func() {
		if p := recover(); p != nil {
			b.opts.Log.Error(fmt.Sprintf("Deciding on %T crashed: %v", current, p), record.KeyStack, string(debug.Stack()))
			broken = candor.Errorf(candor.CodeInternal, "deciding crashed: %v", p)
		}
	}()
	answers = make([]*request, 0, len(round))
	for _, r := range round {
		if r.ctx.Err() != nil {
			continue // its caller has gone: nobody would get the answer
		}
		current = r.cmd
		r.reply, r.err = b.state.Apply(now, r.cmd)
		if b.holds(r, now) {
			b.held = append(b.held, r)
			continue
		}
		answers = append(answers, r)
	}
	if err := b.excuse(now, &current); err != nil {
		return answers, err
	}
	if b.late != nil {
		current = *b.late
		if _, err := b.state.Apply(now, current); err != nil {
			return answers, err
		}
	}
	current = sched.Tick{}
	if _, err := b.state.Apply(now, sched.Tick{}); err != nil {
		return answers, err
	}
	b.tryHeld(now, &answers, &current)
	return answers, nil
}

// excuse tells the state if the loop did not run for a while, because the
// process was stopped or a commit took long: the others' words wait in the inbox
// or on the wire, and their silence is not theirs.
func (b *Brain) excuse(now time.Time, current *sched.Command) error {
	gap := now.Sub(b.heard)
	first := b.heard.IsZero()
	b.heard = now
	if first || gap < longGap {
		return nil
	}
	b.opts.Log.Warn(fmt.Sprintf("The brain did not run for %s: silence in that time is not held against workers", candor.ShortDuration(gap)))
	*current = sched.Away{For: gap}
	_, err := b.state.Apply(now, *current)
	return err
}

// store commits, and notices when that takes long.
func (b *Brain) store(ctx context.Context, c *sched.Changes) error {
	start := b.opts.Clock.Now()
	if err := b.commitWatched(ctx, c, start); err != nil {
		return err
	}
	took := b.opts.Clock.Now().Sub(start)
	b.late = nil // it went with this commit
	if took > slowCommit {
		b.late = &sched.StoreSlow{Took: took, Usual: b.commit.usual(), Holder: b.holder()}
	}
	b.commit.add(took)
	if b.trouble.Load() != nil && b.roomy(ctx) {
		b.trouble.Store(nil)
		b.opts.Log.Info("store: commits again; nothing that was acknowledged is lost")
	}
	return nil
}

func (b *Brain) holder() string {
	if b.opts.Holder == nil {
		return ""
	}
	return b.opts.Holder()
}

func refuse(rs []*request, err error) {
	for _, r := range rs {
		if !closed(r.done) {
			r.reply, r.err = nil, err
			close(r.done)
		}
	}
}

func closed(ch chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
