package storetest

import (
	"context"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"candor/internal/sched"
)

func bg() context.Context { return context.Background() }

// equal compares what a store gives back: empty is nil, and the order of
// pauses is the store's.
func equal() []cmp.Option {
	return []cmp.Option{cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b sched.WorkerRecord) bool { return a.Info.Name < b.Info.Name })}
}

// stored is a record as it comes back: what the store was asked to find is now
// what it has.
func stored(r sched.TaskRecord) sched.TaskRecord {
	r.Was, r.WasLease = r.State, r.Lease
	return r
}
