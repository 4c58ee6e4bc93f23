//go:build race

package sched

// longest is how many actions a life of the property tests has at most. The race
// detector, which slows them tenfold, has nothing to find in a core without
// goroutines: under it lives are shorter.
const longest = 60
