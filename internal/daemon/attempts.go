package daemon

import (
	"context"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/record"
	"candor/internal/store"
)

// dropAttempts removes logs and work directories of batches that have left the
// history. Outputs are the user's, and stay.
func (o Options) dropAttempts(batches []candor.BatchID) {
	for _, id := range batches {
		if err := attemptdir.Remove(o.StateDir, id); err != nil {
			o.Log.Warn("Logs of a pruned batch could not be removed: "+err.Error(), record.KeyBatch, id.String(), record.KeyError, err.Error())
		}
	}
}

// dropForgotten removes, at a start, what a brain that was killed between history
// and logs has left. A batch that the store never knew may be another brain's, of
// a worker that shares this directory: its files go by age alone.
func (o Options) dropForgotten(ctx context.Context, st store.Reader) {
	if o.Retention.Age <= 0 {
		return
	}
	batches, err := attemptdir.Batches(o.StateDir)
	if err != nil {
		o.Log.Warn("Logs of pruned batches cannot be looked for: "+err.Error(), record.KeyError, err.Error())
	}
	old := o.Clock.Now().Add(-o.Retention.Age)
	for _, id := range batches {
		if !attemptdir.Idle(o.StateDir, id, old) {
			continue
		}
		if _, err := st.Batch(ctx, id); candor.CodeOf(err) == candor.CodeNotFound {
			o.dropAttempts([]candor.BatchID{id})
		}
	}
}
