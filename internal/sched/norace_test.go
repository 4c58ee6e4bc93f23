//go:build !race

package sched

// longest is how many actions a life of the property tests has at most.
const longest = 150
