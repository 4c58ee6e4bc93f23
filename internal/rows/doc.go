// Package rows performs llm tasks that are declared in their plan: it makes
// requests of rows, asks a borrowed model server, judges the answers and writes
// the results. It knows no brain and starts no process.
//
// The life of one row:
//
//	         values are there         a slot is lent          all guards pass
//	rendered ────────────────▶ waiting ─────────────▶ asked ─────────────────▶ answered
//	   │                          ▲                    │ │ not the JSON asked for, once: asked again
//	   │ a value is missing       │ a fault passes     │ │
//	   ▼                          └────────────────────┘ ▼ a guard tripped
//	error ◀──────────────────────────────────────────── error
//
// # Invariants
//
//   - A task that is done has exactly one result for each of its rows, in their
//     order: an answer or an error of its own.
//   - What is wrong with the model server is no row's fault: it ends the attempt,
//     and no row bears an error for it.
//   - Values are data. What an item or an output says is never searched for
//     parts of a prompt again.
//   - Nothing is mended in silence: an answer with something around its JSON is
//     not the JSON that was asked for.
package rows
