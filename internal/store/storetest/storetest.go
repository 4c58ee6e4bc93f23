// Package storetest is what every store must pass: the seam's promises, one
// test each, on the real thing. A change of what a store promises begins here.
//
// It is not a fake: it holds no store, and no test of what only one store has
// (locks, files, migrations), which stands with that store.
package storetest

import (
	"context"
	"testing"

	"candor/internal/store"
)

// Factory opens one state, which is new when the factory is made.
type Factory struct {
	// Open opens the state to lead it, again after the store was closed.
	Open func(ctx context.Context) (store.Store, error)
	// Seize opens it to lead it although another store still does, as when a
	// lock was lost unnoticed.
	Seize func(ctx context.Context) (store.Store, error)
	// Place names the state for another process of the same test binary: its
	// TestMain must call Hammer with what PlaceEnv holds.
	Place string
}

// Run runs the suite; each test has a factory of its own.
func Run(t *testing.T, factory func(t *testing.T) Factory) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f Factory)
	}{
		{"a new store starts at ids of its own", testNew},
		{"every field of every record comes back", testRoundTrip},
		{"a record replaces all of the former one", testWholeRecord},
		{"a commit that finds another state is refused whole", testConflict},
		{"states that may not exist are refused", testLaw},
		{"a key names one batch", testKey},
		{"a former leader is fenced off", testFence},
		{"what was acknowledged survives kill -9", testCrash},
		{"batches are listed and found", testBatches},
		{"tasks are listed, filtered and paged", testTasks},
		{"attempts are told, the successful one included", testAttempts},
		{"prefixes of ids are resolved", testResolve},
		{"events are filtered and paged", testEvents},
		{"what is old is pruned, the rest stays", testPruneAge},
		{"a store that is too large loses its oldest history", testPruneSize},
		{"readers see whole commits only", testReaders},
		{"random commits leave what a map would hold", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, factory(t)) })
	}
}
