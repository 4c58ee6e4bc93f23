// Package durable replaces small files whole or not at all, for whoever reads
// them while their writer may be killed, and, where that is asked for, through a
// power failure. It knows nothing of what is in them.
package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// WriteFile replaces the file at path by b: written and flushed beside it under
// the name path+".new", then renamed. An error leaves the old file as it was.
func WriteFile(path string, b []byte) error {
	if err := replace(path, b, (*os.File).Sync); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// ReplaceFile is WriteFile without the flush, for what is true only as long as
// the machine runs. It outlives its writer; when the machine goes down before the
// system has written it, the old file, none or a blank one is found.
func ReplaceFile(path string, b []byte) error {
	return replace(path, b, func(*os.File) error { return nil })
}

func replace(path string, b []byte, flush func(*os.File) error) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = flush(f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// SyncDir flushes the entries of a folder: files made, renamed and removed in
// it. Windows has no call for it, and does so itself.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
