// Package modelhost keeps one model server of one worker: a child process that
// it starts and ends (managed), or one at an address (attached). It carries out
// orders about models, lends the server's slots to whoever has rows to answer,
// and says at any moment what is loaded and what may be trusted.
//
// It decides nothing: which model is loaded where is the brain's to say. After
// a restart nothing is loaded again until an order comes.
//
// The server:
//
//	            answers                    fell, or hung
//	starting ─────────────▶ up ─────────────────────────▶ down
//	   ▲  │                  ▲  attached: answers again     │
//	   │  │ never answers    └──────────────────────────────┤
//	   │  └────────────────▶ down                           │ managed: after a pause
//	   │◀──────────────────────────────────────────────────┤
//	   │ an order, or Reset                                 │ too many restarts
//	   └──────────────────────────────────────────── out ◀──┘
//
// An attached server that turns out to be another program is a stranger until
// the right one answers.
//
// A model in its memory:
//
//	listed ──a token──▶ ready ──silent, slow, its process died──▶ doubted
//	   ▲                  ▲                                          │
//	   │ not listed       └───────────────── a token ────────────────┘
//	   └── any more: gone
//
// # Invariants
//
//   - Serving, Catalog and Changed never wait for the server.
//   - Only a ready model is lent, and ready means that it has produced a token
//     since it was loaded, and not long ago.
//   - A managed server ends with its processes, runners included: when Run
//     ends, when it hangs, and at the next start when its worker was killed.
//   - One order at a time. What it did is told even when it failed.
//   - Requests on their way when a server is given up end with the reason for it.
package modelhost
