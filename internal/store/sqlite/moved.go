package sqlite

import (
	"errors"
	"os"
	"runtime"

	"candor"
)

// place is where a database was opened, and which file that was. The zero place
// is never left.
type place struct {
	path string
	file os.FileInfo
}

func placeOf(path string) (place, error) {
	file, err := os.Stat(path)
	return place{path, file}, err
}

// left tells that the database is not where it was any more: somebody moved or
// removed the state directory, or put another file in its place. What is written
// then is durable where nobody will look for it, or nowhere.
func (p place) left() error {
	// Windows lets nobody move what is open, and takes long to tell files apart.
	if p.file == nil || runtime.GOOS == "windows" {
		return nil
	}
	now, err := os.Stat(p.path)
	text := " was moved or removed"
	switch {
	case err == nil && os.SameFile(now, p.file):
		return nil
	case err == nil:
		text = " is another file than the one that was opened"
	case !errors.Is(err, os.ErrNotExist):
		return nil // SQLite meets that too, and says what it is
	}
	return &candor.Error{
		Code: candor.CodeUnavailable, Message: p.path + text + ": nothing can be kept",
		Hint: "put it back, and work goes on by itself; or stop this brain: the next one begins with what is there",
	}
}
