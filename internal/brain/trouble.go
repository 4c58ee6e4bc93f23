package brain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"candor"
	"candor/internal/record"
	"candor/internal/sched"
)

// probe finds out whether the store takes commits again, for a brain that has
// nothing to commit: its trouble would stand until something happens.
func (b *Brain) probe(ctx context.Context, now time.Time) {
	if b.trouble.Load() == nil || now.Before(b.probed.Add(probeEvery)) {
		return
	}
	b.probed = now
	_ = b.store(ctx, &sched.Changes{Revision: b.state.Revision(), Meta: b.meta}) // as before; the trouble stands
}

// reload throws the state away and loads what is durable. Everybody of the
// round hears that nothing of it happened, those too who had begun to wait;
// questions are answered from what was loaded. Who comes or asks while that takes
// long is refused: there is no state to answer from.
func (b *Brain) reload(ctx context.Context, round, answers []*request, cause error) error {
	text := cause.Error()
	if b.full = nil; candor.CodeOf(cause) == candor.CodeStoreFull {
		b.full = cause
	}
	if old := b.trouble.Swap(&text); old == nil || *old != text {
		b.opts.Log.Error("The round is refused and the state loaded again: "+text, record.KeyReason, string(candor.ReasonStoreTrouble))
	}
	asked := slices.DeleteFunc(slices.Clone(answers), func(r *request) bool { return !reads(r.cmd) })
	refuse(slices.DeleteFunc(slices.Concat(answers, round), func(r *request) bool { return slices.Contains(asked, r) }), refusal(cause))
	b.held = slices.DeleteFunc(b.held, func(r *request) bool { return closed(r.done) })
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		_, err := b.load(ctx)
		if err == nil {
			b.passed(cause)
			for _, r := range asked {
				b.answer(r, b.troubleOr(""))
			}
			return nil
		}
		if !passing(err) {
			refuse(asked, refusal(err))
			return fmt.Errorf("load the state again: %w", err)
		}
		if wait >= longLoad {
			refuse(asked, refusal(err))
			asked = nil
		}
		if !b.pause(ctx, wait, err) {
			refuse(asked, errStopped())
			return nil
		}
	}
}

// passing tells whether the store may work again by itself.
func passing(err error) bool {
	switch candor.CodeOf(err) {
	case candor.CodeStoreFull, candor.CodeStoreBusy, candor.CodeUnavailable:
		return true
	}
	return false
}

// longLoad is the pause between two tries to load from which on nobody is left
// to wait for the next.
const longLoad = time.Second

// pause lets time pass between two tries to load; false if ctx has ended. In a
// short one callers wait.
func (b *Brain) pause(ctx context.Context, d time.Duration, cause error) bool {
	inbox := b.inbox
	if d < longLoad {
		inbox = nil
	}
	over := b.opts.Clock.After(d)
	for {
		select {
		case r := <-inbox:
			refuse([]*request{r}, refusal(cause))
		case <-over:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// passed ends a trouble that was one of that round alone: unlike a full disk, a
// crash in deciding or a lost race says nothing about the next commit.
func (b *Brain) passed(cause error) {
	if !passing(cause) && candor.CodeOf(cause) != candor.CodeLocked {
		b.trouble.Store(nil)
	}
}

// refusal is what a caller hears when its round was given up.
func refusal(cause error) error {
	switch code := candor.CodeOf(cause); {
	case passing(cause), code == candor.CodeLocked, code == candor.CodeInternal:
		return cause
	default:
		return &candor.Error{Code: candor.CodeRetry, Message: "nothing of this happened: the brain had to load its state again", Hint: "try again", Cause: cause}
	}
}
