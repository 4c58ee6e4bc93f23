// Package brain is the one loop that owns candor's state.
//
// It gathers the commands that have arrived, lets package sched decide on each,
// commits their changes and events in one durable transaction, and only then
// answers. Throughput comes from that batching, not from weaker durability: the
// longer a flush takes, the more commands share the next one.
//
// It decides nothing, and knows neither HTTP nor SQL: package sched decides,
// package httpapi hands commands in, a store.Store keeps.
//
//	          commands                     changes            replies, events
//	callers ───────────▶ gather ─▶ sched ─────────▶ commit ─────────────────▶ callers,
//	                       ▲                          │                      log, followers
//	                       │        reload            │ refused
//	                       └──────────────────────────┘
//
// Invariants:
//
//   - nothing is answered, logged as having happened or shown to followers
//     before it is committed; but questions that change nothing are answered
//     while a commit takes longer than it should, with the word that it does and
//     who is in its way (docs/adr/0011-questions-while-a-commit-is-slow.md);
//   - when a commit fails, or deciding panics, every command of that round is
//     answered with an error, the state in memory is thrown away and loaded
//     again: nobody was told otherwise;
//   - what a claim, a heartbeat or a supervisor's report waits for is held here;
//     each try of it is an ordinary command.
package brain
