package brain

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"candor"
	"candor/internal/record"
	"candor/internal/sched"
)

// A commit may take long: another process holds the store's lock, or the disk
// does not answer. Nothing can be decided meanwhile, but what is wrong must be
// told while it is, and questions that change nothing are answered from the state
// in memory, with the word that it is not on disk yet.

// commitWatched commits. Once that is slow, a watch beside it tells so, again
// after twice as long, and answers questions; other commands wait for the next
// round. The loop itself commits: a commit that is not slow, which is nearly
// every one, wakes nobody.
func (b *Brain) commitWatched(ctx context.Context, c *sched.Changes, start time.Time) error {
	committed, ended := make(chan struct{}), make(chan struct{})
	inTime := b.opts.Clock.AfterFunc(slowCommit, func() {
		defer close(ended)
		b.watch(ctx, start, committed)
	})
	// A commit under way is not given up because the brain is told to stop.
	err := b.opts.Store.Commit(context.WithoutCancel(ctx), c)
	if !inTime() {
		close(committed)
		<-ended // until then the state is the watch's
	}
	return err
}

// watch stands in for the loop, which is committing.
func (b *Brain) watch(ctx context.Context, start time.Time, committed <-chan struct{}) {
	pause := slowCommit
	var again <-chan time.Time
	warn := func() {
		pause *= 2
		again = b.opts.Clock.After(pause)
		b.opts.Log.Warn(b.underWay(start), record.KeyReason, string(candor.ReasonStoreTrouble))
	}
	for warn(); ; {
		select {
		case <-committed:
			return
		case <-again:
			warn()
		case r := <-b.inbox:
			if reads(r.cmd) && ctx.Err() == nil {
				b.answer(r, b.underWay(start))
				continue
			}
			b.wait(r)
		}
	}
}

// underWay says for how long a commit has been under way, and who is in its way.
func (b *Brain) underWay(start time.Time) string {
	return fmt.Sprintf("store: commit under way for %s (usual %s)%s", candor.ShortDuration(b.opts.Clock.Now().Sub(start)),
		candor.ShortDuration(b.commit.usual()), lockedBy(b.holder()))
}

func lockedBy(who string) string {
	if who == "" {
		return ""
	}
	return ", locked by " + who
}

// reads tells whether a command changes nothing.
func reads(cmd sched.Command) bool {
	switch cmd.(type) {
	case sched.Why, sched.Workers, sched.Status, sched.Models, sched.Decorate, sched.Resolve, sched.PreviewPlan:
		return true
	default:
		return false
	}
}

// answer answers a question while a commit is under way, and says so.
func (b *Brain) answer(r *request, trouble string) {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			b.opts.Log.Error(fmt.Sprintf("Answering %T crashed: %v", r.cmd, p), record.KeyStack, string(debug.Stack()))
			r.reply, r.err = nil, candor.Errorf(candor.CodeInternal, "answering crashed: %v", p)
		}
	}()
	r.reply, r.err = b.state.Apply(b.opts.Clock.Now(), r.cmd)
	switch reply := r.reply.(type) {
	case candor.Status:
		reply.Trouble = trouble
		r.reply = reply
	case candor.Explanation:
		reply.Trouble = trouble
		r.reply = reply
	}
}

// wait keeps a command for the next round. Callers that have given up are
// forgotten, so that the list is no longer than there are callers.
func (b *Brain) wait(r *request) {
	if len(b.waiting) >= maxRound {
		kept := b.waiting[:0]
		for _, w := range b.waiting {
			if w.ctx.Err() == nil {
				kept = append(kept, w)
			}
		}
		clear(b.waiting[len(kept):])
		b.waiting = kept
	}
	b.waiting = append(b.waiting, r)
}
