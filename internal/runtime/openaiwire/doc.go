// Package openaiwire speaks the part of OpenAI's HTTP API that model servers
// of other makers have in common: chat as a stream of events, embeddings, and
// their refusals.
//
// It is no adapter: what a model is called, what loads it and who answers is
// for the adapters of llama-server and of attached servers.
//
// # Invariants
//
//   - Every answer is streamed, with its usage, so that silence is seen between
//     tokens and the prompt's tokens are counted back.
//   - An answer has ended when it gave a reason and [DONE] followed, and not
//     before.
//   - A sign of life is a piece of the answer. Comments, which servers send so
//     that proxies keep the connection, are none.
//   - Words of servers are read in one place (meaning.go).
package openaiwire
