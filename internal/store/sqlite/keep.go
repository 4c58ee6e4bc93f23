package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"candor"
)

// There is no way back from a later schema, and the version before may be wanted
// back. So the state of an earlier version is copied before it is changed.

// keptName is where the state of an earlier schema is kept beside the file.
func keptName(file string, schema int64) string { return fmt.Sprintf("%s.v%d", file, schema) }

// keep copies a database whole, as it is, to where its schema's copy belongs. A
// copy that is cut off has another name, so that nobody takes it for a whole one.
func keep(ctx context.Context, db *sql.DB, file string, schema int64) error {
	to := keptName(file, schema)
	part := to + ".part"
	err := errors.Join(removeIfThere(part), touchPrivate(part))
	if err == nil {
		_, err = db.ExecContext(ctx, `VACUUM INTO ?`, part)
	}
	if err == nil {
		err = settle(part, to)
	}
	if err == nil {
		return nil
	}
	cause := fault("keep a copy", err)
	size := candor.Bytes(0)
	if info, err := os.Stat(file); err == nil {
		size = candor.Bytes(info.Size())
	}
	return errors.Join(&candor.Error{
		Code:    candor.CodeOf(cause),
		Message: fmt.Sprintf("the state has schema %d, and no copy of it could be kept as %s before it is brought to this version's", schema, to),
		Hint:    fmt.Sprintf("nothing was changed: see that %s can be written and has room for %s, and start again", filepath.Dir(file), size),
		Cause:   cause,
	}, removeIfThere(part))
}

// settle makes a finished copy durable, then gives it its own name.
func settle(part, to string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(to)); err == nil {
		_ = errors.Join(dir.Sync(), dir.Close()) // not every system can flush a directory
	}
	return nil
}

// removeIfThere removes a file if it is there.
func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
