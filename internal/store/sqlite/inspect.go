package sqlite

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// CheckPlace says, as Open would, whether a directory lies on a file system that
// can hold a store: candor.CodeUnsupported if not.
func CheckPlace(dir string) error { return refuseRemote(dir) }

// Leader says who leads the store of a directory, without disturbing anybody:
// "led by pid 4410 on rig since 2026-02-07 09:12", or "" if nobody does.
func Leader(dir string) (string, error) {
	lock := flock.New(filepath.Join(dir, lockName), flock.SetFlag(0)) // O_RDONLY, and not made
	free, err := lock.TryRLock()
	if err != nil {
		return "", fault("look at the lock of "+dir, err)
	}
	if !free {
		return readLead(dir).String(), nil
	}
	return "", lock.Close()
}

// LeaderPID is the process on this host that leads the store of a directory, 0 if
// nobody does, or it cannot be told.
func LeaderPID(dir string) int {
	if who, err := Leader(dir); err != nil || who == "" {
		return 0
	}
	l := readLead(dir)
	if host, err := os.Hostname(); err != nil || l.host != host && l.host != "localhost" {
		return 0
	}
	return l.pid
}

// Lives tells whether a store is in dir.
func Lives(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}
