// Package sqlite keeps candor's state in one SQLite file in a directory of
// this machine.
package sqlite

import (
	"context"

	"candor"
	"candor/internal/clock"
	"candor/internal/store"
)

// Options say where a store is and who opens it.
type Options struct {
	// Dir is the state directory; made (0700) if it is not there.
	Dir string
	// Seed decides where the ids of a new store start, so that ids of two stores
	// do not meet by accident. An existing store has its own.
	Seed int64
	// Clock measures commits and stamps the lock. Nil: the machine's.
	Clock clock.Clock
	// Address is where the leader can be reached, for whoever finds the lock taken.
	Address string
	// ReadOnly opens beside a leader, or without one, for reading alone.
	ReadOnly bool
}

// Store is a store.Store on SQLite.
type Store struct {
	store.Store
}

// Open opens or makes the store of a state directory, and leads it unless ReadOnly.
func Open(ctx context.Context, o Options) (*Store, error) {
	return nil, candor.Errorf(candor.CodeUnsupported, "open store %s: not there yet", o.Dir)
}
