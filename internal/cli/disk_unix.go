//go:build linux || darwin

package cli

import (
	"golang.org/x/sys/unix"

	"candor"
)

// freeSpace is what this user may still write where dir lies.
func freeSpace(dir string) (candor.Bytes, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return candor.Bytes(st.Bavail) * candor.Bytes(st.Bsize), nil
}
