// Package realtest runs real model servers for tests: it finds their programs,
// starts them on free ports with models of random weights, breaks them as a
// bad day would, and ends them with the test.
//
// It is no part of the product. A server that is not installed fails the test:
// none of these tests may be left out.
package realtest
