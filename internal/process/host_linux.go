package process

import (
	"errors"
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

const rusageUnit = 1024 // ru_maxrss is in KiB (getrusage(2))

// BecomeSubreaper makes orphaned descendants children of this process instead
// of init's, so that they stay findable (Linux; elsewhere an error). The
// caller must be prepared for children it did not start; those that belong to
// a Process are reaped with it.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}

// awaitMain returns when the process has ended, and leaves it to be reaped.
func awaitMain(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
