package brain

import (
	"context"
	"fmt"
)

// startPruning removes old history beside the loop, until ctx ends. The channel
// closes when it has stopped.
func (b *Brain) startPruning(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b.opts.Clock.Sleep(ctx, b.opts.PruneEvery) == nil {
			b.prune(ctx)
		}
	}()
	return done
}

func (b *Brain) prune(ctx context.Context) {
	n, err := b.opts.Store.Prune(ctx, b.opts.Clock.Now(), *b.retention.Load())
	if b.opts.Pruned != nil && len(n.Batches) > 0 {
		b.opts.Pruned(n.Batches) // gone for good, even if the next step failed
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		b.opts.Log.Warn("History could not be pruned: " + err.Error())
	case !n.Nothing():
		b.opts.Log.Info(fmt.Sprintf("Pruned history: %d batches, %d tasks, %d events", len(n.Batches), n.Tasks, n.Events))
	}
}
