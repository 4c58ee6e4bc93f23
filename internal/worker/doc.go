// Package worker is the agent: one operating-system process that registers with
// a brain, claims attempts, runs their commands and tells how they ended.
//
// It decides nothing about the queue: who gets which task, what is retried and
// what a late result is worth is the brain's. It measures (package process),
// keeps its word (the spool) and proves that nothing is left alive.
//
// Three kinds of goroutine share one board, each behind a short lock:
//
//	main loop   claims, starts attempts, delivers results
//	reporter    heartbeats: what the main loop is doing, and since when
//	attempt     one for each lease: prepare, run, watch, publish, spool
//
// The life of an attempt, and what is on disk meanwhile:
//
//	claimed ──▶ prepared ──▶ running ──▶ ended ──▶ published ──▶ spooled ──▶ delivered
//	   │           │            │          │      outputs in     │            │
//	   │      directory,        │     no process  place by one   result file, the brain's
//	   │      lease record      │     of it left  rename         record gone  verdict: file gone
//	   └───────────┴────────────┴─ shutdown, abort, timeout, silence: TERM, KILL, verified
//
// # Invariants
//
//   - No process is started before its lease record is written, and the record
//     stays until it is proven that no process of the attempt is left.
//   - A result is on disk before it is sent, and stays there until the brain's
//     verdict on it is known: sent perhaps twice, taken once.
//   - Outputs appear in the batch's directory whole or not at all, and an older
//     lease never replaces what a newer one put there.
//   - The reporter never waits for the main loop, nor the main loop for it.
//   - An item reaches a command as environment only, never as text to interpret.
package worker
