// Package store is the seam behind which candor's state is durable.
//
// A store loads the live state, commits changes, and answers reads about what
// is committed. It does not decide: package sched says what changes, and the
// store only repeats the law as constraints, so that a state which may not
// exist cannot be written. Whoever implements it passes package storetest.
//
// Invariants:
//
//   - Commit is atomic and durable: when it returns nil, the changes survive a
//     power loss (SQLite: WAL with synchronous=FULL);
//   - it is fenced: only the leader that opened the store last can commit;
//     others get candor.CodeLocked;
//   - every update names the state it expects; a store that finds another one
//     refuses the whole commit with candor.CodeConflict;
//   - errors carry candor codes: store_full (no room; nothing was written),
//     store_busy (somebody holds the lock), unavailable (its place is lost, and
//     may come back), locked, conflict, internal.
package store

import (
	"context"
	"time"

	"candor"
	"candor/internal/sched"
)

// Store is a durable state with one leader.
type Store interface {
	Reader
	// Load returns the live state: batches that are active, with all their
	// tasks; workers; pauses; counters. A new store starts at ids given by its
	// creator's seed. Leases go on behind a gap each time a store is opened to
	// lead, so that a copy which is put back does not give out once more those
	// that workers hold.
	Load(ctx context.Context) (*sched.Snapshot, error)
	// LoadBatch returns one batch whole, active or not; candor.CodeNotFound if
	// there is none.
	LoadBatch(ctx context.Context, id candor.BatchID) (*sched.LoadedBatch, error)
	// Commit makes changes durable in one transaction, all or nothing.
	Commit(ctx context.Context, c *sched.Changes) error
	// Room tells whether there is room for commits of ordinary size;
	// candor.CodeStoreFull if not. A store that has refused one for want of room
	// may still take small ones.
	Room(ctx context.Context) error
	// Prune removes history: batches complete for longer than Age with their
	// tasks, oldest events first beyond Age or Size. It works in small
	// transactions, so that commits pass between them.
	Prune(ctx context.Context, now time.Time, p Retention) (Pruned, error)
	Close() error
}

// Reader answers questions about the committed state. Safe for concurrent use,
// beside commits.
type Reader interface {
	Batches(ctx context.Context, q candor.BatchQuery) ([]candor.Batch, error)
	// Batch returns one batch with steps and counts; candor.CodeNotFound if none.
	Batch(ctx context.Context, id candor.BatchID) (candor.Batch, error)
	// BatchByKey finds a batch by its submission key; candor.CodeNotFound if none.
	BatchByKey(ctx context.Context, key string) (candor.BatchID, error)
	Tasks(ctx context.Context, q candor.TaskQuery) ([]candor.Task, error)
	// Task returns one task; candor.CodeNotFound if none.
	Task(ctx context.Context, id candor.TaskID) (candor.Task, error)
	// Attempts returns a task's ended attempts, oldest first, the successful one included.
	Attempts(ctx context.Context, id candor.TaskID) ([]candor.Attempt, error)
	// Resolve finds batches and tasks by a prefix of their id, at most limit of each.
	Resolve(ctx context.Context, prefix string, limit int) (sched.Refs, error)
	Events(ctx context.Context, q candor.EventQuery) ([]candor.Event, error)
	// Size is what the store takes on disk, and what of it is history.
	Size(ctx context.Context) (Size, error)
}

// Retention says how much history is kept. Zero values keep everything.
type Retention struct {
	Age  time.Duration // of ended batches and of events
	Size candor.Bytes  // of the whole store; above it, the oldest history goes first
}

// Pruned is what was removed.
type Pruned struct {
	Batches       []candor.BatchID
	Tasks, Events int
}

// Nothing says that nothing was removed.
func (p Pruned) Nothing() bool { return len(p.Batches)+p.Tasks+p.Events == 0 }

// Size is disk use in bytes.
type Size struct {
	Total  candor.Bytes // with write-ahead log
	Events int64        // number of events kept
}
