// Package exchange carries one HTTP exchange with a model server, for the
// adapters of all kinds: bounded in time, and ended with an error that says
// who fell silent.
//
// It knows no server's API: paths, bodies and the meaning of refusals are the
// adapters'.
//
// # Invariants
//
//   - Every exchange has a limit, on its silence or in whole. A frozen server
//     accepts connections, so a connect timeout proves nothing.
//   - What ends an exchange early is one of three, told apart: the caller
//     left, the server was silent, the connection broke.
package exchange
