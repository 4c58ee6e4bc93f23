// Package runtimetest is the conformance suite of the seam to model servers:
// what every adapter shows of every server, whatever the server's own habits.
//
// An adapter's tests hand Run a function that starts a real server. Package
// simrt passes the same suite, which holds the simulation to the truth. A
// change of behaviour begins here.
//
// It is no test of a server's quality: texts are nonsense, and speed is not
// looked at.
package runtimetest
