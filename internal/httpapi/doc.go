// Package httpapi is candor's HTTP server: it turns requests into commands for
// the brain or reads of the store, and their answers into JSON.
//
// It decides nothing about tasks and holds no state of its own. Who may do what
// is decided here alone, by the role in the route table of package wire.
//
//	request ─▶ guard ─────────▶ route ─▶ body ─▶ Brain.Do ────▶ JSON
//	           token, role,             limits   store.Reader
//	           Host, Origin                      Brain.Events ─▶ SSE
//
// Who is let in:
//
//	unix socket       whoever may open it: the owner (mode 0600)
//	loopback          anybody on the machine, but no web page (Host, Origin and
//	                  content type are checked); with a tokens file, bearers
//	any other address bearers of a token only; no tokens file, no listening
//
// Invariants:
//
//   - every route has a role, and a request passes the guard before its body is
//     read or anything is looked up;
//   - a refusal says which role is needed, and nothing about what exists;
//   - no follower, however slow, holds up the brain: each pulls at its own pace,
//     and from the store when the brain has forgotten what comes next;
//   - tokens are in no log, answer or error.
package httpapi
