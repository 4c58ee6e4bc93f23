// Package simrt is a simulated model server: it speaks Ollama's HTTP API, has
// video memory, load times and token rates as they are set, answers with
// nonsense that is the same for the same seed, and misbehaves to order.
//
// It is for tests and for the demonstration; there is no model behind it. That
// shows in everything it says: its version ends in "-simulated", and every
// reply carries the header Candor-Simulated. It passes the suite of package
// runtimetest that a real Ollama passes, so what it simulates is the truth as
// far as the suite asks; what it does besides was observed (docs/runtimes.md).
//
// A model in its memory:
//
//	absent ──request──▶ loading ──▶ idle ◀──▶ busy ──unload──▶ draining ──▶ absent
//	   ▲                   │          │
//	   └──── caller left, ─┘          └─ pushed out by another model, or expired
//	         no room
//
// # Invariants
//
//   - Time is the injected clock's: it works as well in virtual time.
//   - The same Options, requests and seeds in the same order give the same texts.
//   - Memory is accounted: what is loaded never takes more than there is.
//   - A fault that was not ordered does not happen.
package simrt
