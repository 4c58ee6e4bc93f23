// Package house holds the checkers behind the laws of the repository: what a
// reviewer would otherwise have to remember. The laws themselves, with their
// tables and reasons, stand in house_test.go at the root; here is only how
// they are checked.
//
// It is not a linter of code style (.golangci.yml is), it is imported by tests
// only, and it reads nothing but files: no git, no go command, so that all laws
// together take well under a second.
//
// A checker takes the Tree and returns its findings, one line each, that say
// where, what, and what to do. No finding means that the law holds.
package house
