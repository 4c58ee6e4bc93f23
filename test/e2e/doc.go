// Package e2e holds the end-to-end tests: real processes of the candor program,
// real sockets, real signals, a real disk that is full. They build the program
// once, run it in state directories of their own, wait for what they expect
// (never for a time), and prove that no process is left when they end.
//
// There is nothing in it but tests, and they run on Linux alone: /proc tells
// which processes are left, and whose they are.
//
//	go test ./test/e2e                     all of them, in less than a minute
//	go test ./test/e2e -run Chaos -v       what is killed at random, and what came of it
//	go test ./test/e2e -run Seed -update   writes the golden lines anew
package e2e
