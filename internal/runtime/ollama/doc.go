// Package ollama speaks to an Ollama server over its own HTTP API, and says
// how to start one.
//
// It is plain net/http with types of its own: Ollama's client package takes a
// broken stream for an ended one. It starts no process and reads no process
// table: Serve is data, package process starts it and ends what it leaves
// behind. Measured behaviour is in docs/runtimes.md.
//
// # Invariants
//
//   - Every exchange has a limit: calls in whole, streams by their silence. A
//     frozen server accepts connections, so a connect timeout proves nothing.
//   - Every answer is streamed, so that silence is seen between tokens.
//   - Every request carries num_ctx, num_predict, keep_alive -1, "truncate":
//     false and "shift": false: what is left out, Ollama chooses, and after a
//     runner's death it chooses a keep_alive of five minutes.
//   - An answer has ended when a line said done:true, and not before.
//   - The server's words are read in one place (refusal.go).
package ollama
