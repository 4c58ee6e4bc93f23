// Package sqlite keeps candor's state in one SQLite file, candor.db, in a
// directory of this machine. It is a store.Store; it decides nothing.
//
// Invariants:
//
//   - one leader: candor.lock is held for life, and each commit checks the
//     epoch that this opener raised, so that a leader behind the lock's back is
//     fenced off;
//   - one connection writes, under mu; readers have a pool of their own and see
//     committed states only;
//   - a commit is flushed to the disk (WAL, synchronous=FULL) before Commit
//     returns nil; an error means that none of it is there;
//   - a state of an earlier schema is copied before it is changed;
//   - each update of a task names the state and lease it expects; constraints
//     refuse rows that the law of package candor forbids;
//   - rows of tasks hold only what moves. Which step a task is of, its index and
//     its item stand in spans and item blocks, shared by neighbours.
//
// What the rows look like and what that costs: docs/adr/0003-sqlite-rows.md.
package sqlite
