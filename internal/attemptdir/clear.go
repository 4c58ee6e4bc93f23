package attemptdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// RemoveTree removes a folder with all that is in it, and folders that may not
// be written, too: tools make those (Go's module cache is all 0555), and a job
// may forget one. Links are removed, never followed.
func RemoveTree(dir string) error {
	err := os.RemoveAll(dir)
	if errors.Is(err, fs.ErrPermission) {
		openUp(dir)
		err = os.RemoveAll(dir) // which says what is still in the way
	}
	return err
}

// openUp lets the owner write all folders in dir, dir itself and the one in
// which it stands, without leaving that one by any link. What cannot be changed
// is left as it is.
func openUp(dir string) {
	parent, base := filepath.Dir(dir), filepath.Base(dir)
	if info, err := os.Lstat(parent); err != nil || !info.IsDir() || os.Chmod(parent, info.Mode().Perm()|0o700) != nil {
		return
	}
	root, err := os.OpenRoot(parent)
	if err != nil {
		return
	}
	defer func() { _ = root.Close() }()
	if info, err := root.Lstat(base); err != nil || !info.IsDir() {
		return
	}
	_ = fs.WalkDir(root.FS(), base, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir():
			_ = root.Chmod(p, 0o700) // before its entries are read
		}
		return nil
	})
}
