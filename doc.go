// Package candor is the vocabulary of the system: plans, batches, tasks,
// attempts, workers, the reasons why something does not happen, and the legal
// moves between states.
//
// A brain owns a queue of tasks and decides; workers, one per GPU, do. The
// package holds what both of them, their client and their store speak of, and
// nothing that acts: it imports the standard library only, reads no clock and
// does no I/O.
//
// Invariants it states for everybody (the store repeats them as constraints):
//
//   - a task is in exactly one state, and moves only along [TaskState.CanMove];
//   - a queued task carries no worker, no lease, no start and no result;
//   - a lease number is used once, ever, and grows: the larger one wins;
//   - a reason is a code from the closed list [ReasonCodes] with operands, never prose alone.
//
// The life of a task:
//
//	           needs met            claimed               exit 0, outputs there
//	blocked ─────────────▶ queued ─────────▶ processing ───────────────────────▶ complete
//	   │                   ▲  │  ◀─────────────┘  │ │
//	   │      retry asked  │  │   lost, transient,│ │ no try left
//	   │  ┌────────────────┘  │   or try again    │ ▼
//	   │  │                   │                   │ failed
//	   ▼  │                   ▼                   ▼
//	cancelled ◀───────────────┴───────────────────┘
package candor
