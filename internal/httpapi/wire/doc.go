// Package wire is what candor's HTTP server and its client must agree on: the
// routes with their roles, types and limits, the table of error codes and HTTP
// statuses, how queries become URLs, and the quick encoding of claims.
//
// It is neither server nor client: it opens no connection and knows no brain.
// The server mounts the route table, the client calls by it, and the OpenAPI
// document is printed from it, so the three cannot drift apart.
//
// Invariants: each route has a role; each candor.Code has one status and comes
// back as itself; a claim encoded here is, byte for byte, valid JSON that
// encoding/json reads to the same value, and the other way round.
package wire
