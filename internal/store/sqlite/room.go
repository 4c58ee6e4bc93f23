package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// ample is what a store needs to be called well again, in bytes: a submission
// of a thousand tasks takes less.
const ample = 1 << 20

// Room implements store.Store. It writes that much beside the database and
// removes it: what a file system says is free need not be for us (quotas,
// reserved blocks), and a commit of one row proves nothing, since the log of
// SQLite has room of its own for it.
func (s *Store) Room(context.Context) error {
	path := filepath.Join(s.opts.Dir, "candor.room")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault("look for room in "+s.opts.Dir, err)
	}
	_, err = f.Write(make([]byte, ample))
	if err == nil {
		err = f.Sync() // some file systems find out no earlier
	}
	return fault("look for room in "+s.opts.Dir, errors.Join(err, f.Close(), os.Remove(path)))
}
