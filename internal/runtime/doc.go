// Package runtime is the seam to model servers: what a worker needs of Ollama,
// llama-server or an OpenAI-compatible service, and the closed list of what
// can go wrong with them.
//
// It knows no server and does no I/O. Adapters (ollama, llamaserver, openai) speak to one;
// whoever implements Server passes package runtimetest against the real thing.
// Guards are here, as pure functions: each returns nil, or an Error that holds
// the numbers it compared.
//
// A model on a server, as Load and Unload see it:
//
//	          Load                  first token
//	absent ─────────▶ loading ─────────────────▶ ready ◀─┐
//	   ▲                 │ does not fit, broken,   │     │ tokens
//	   │                 ▼ expired                 ├─────┘
//	   │◀────────────────┘                         │ Unload
//	   │   gone from the server's own list         ▼
//	   └────────────────────────────────────── draining
//
// # Invariants
//
//   - Ready means that a token was produced. Neither an open port nor a place
//     in the server's list of loaded models stands for it: servers list models
//     whose process is dead.
//   - Load and Unload return only when the thing has happened, or with an
//     error; both say what was loaded before and after, failed ones too, since
//     a load that fails may have evicted every other model.
//   - An answer that the server did not finish is an error, never a short answer.
//   - Every request carries the Settings that its model was loaded with: servers
//     silently load the model anew for a request with others.
//   - Errors are matched by code (CodeOf), never by text. Where a server has
//     nothing but words, its adapter reads them in one place.
package runtime
