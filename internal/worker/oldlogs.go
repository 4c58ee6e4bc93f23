package worker

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/process"
	"candor/internal/record"
)

// oldEvery is how often a worker looks for logs that are too old, and the least
// age at which any is.
const oldEvery = 24 * time.Hour

// dropOld removes what attempts left of batches in which nothing has happened
// here for KeepLogs, at once and then day by day.
func (w *worker) dropOld(ctx context.Context) {
	for {
		w.dropOldOnce()
		if w.o.Clock.Sleep(ctx, oldEvery) != nil {
			return
		}
	}
}

func (w *worker) dropOldOnce() {
	before := w.o.Clock.Now().Add(-max(w.o.KeepLogs, oldEvery))
	batches, err := attemptdir.Batches(w.o.StateDir)
	if err != nil {
		w.say(slog.LevelWarn, lineDisk, "Old logs cannot be looked for", slog.Any(record.KeyError, err))
	}
	n := 0
	for _, id := range batches {
		if w.runsHere(id) || !attemptdir.Idle(w.o.StateDir, id, before) {
			continue
		}
		if err := attemptdir.Remove(w.o.StateDir, id); err != nil {
			w.say(slog.LevelWarn, lineDisk, "Old logs could not be removed", slog.String(record.KeyBatch, id.String()), slog.Any(record.KeyError, err))
			continue
		}
		n++
	}
	if n > 0 {
		w.say(slog.LevelInfo, lineDisk, "Removed the logs of "+plural(n, "batch", "batches")+" in which nothing had happened here for "+
			candor.ShortDuration(max(w.o.KeepLogs, oldEvery)), slog.Int(record.KeyCount, n))
	}
}

// runsHere tells whether an attempt of a batch runs on this state directory, by
// the lease records of all workers that share it: one may run for long and be
// silent.
func (w *worker) runsHere(batch candor.BatchID) bool {
	records, _ := filepath.Glob(filepath.Join(w.o.StateDir, "workers", "*", "leases", "*.json"))
	for _, path := range records {
		r, err := process.ReadRecord(path)
		if err != nil {
			continue
		}
		if there, _ := filepath.Glob(filepath.Join(attemptdir.Root(w.o.StateDir), batch.String(), r.Task)); len(there) > 0 {
			return true
		}
	}
	return false
}
