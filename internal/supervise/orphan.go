package supervise

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"candor/internal/clock"
)

// EnvParent tells a supervised child its supervisor's process number.
const EnvParent = "CANDOR_SUPERVISOR_PID"

// orphanEvery is how soon a child knows that its supervisor is gone.
const orphanEvery = 500 * time.Millisecond

// Orphaned returns a channel that closes when the supervisor that started this
// process is gone, and nil when none did (getenv(EnvParent) is empty). A child
// drains or stops then. The parent's number is looked at every half second: it
// changes when the parent dies, however it dies, and needs no open file that a
// grandchild could keep. (On Windows it does not change: nothing is noticed.)
//
// From then on, writing to the dead supervisor's pipe is an error of the write
// and no longer ends this process, which still has attempts to end. The signal
// is caught, not ignored: children would inherit the ignoring.
func Orphaned(ctx context.Context, clk clock.Clock, getenv func(string) string) (<-chan struct{}, error) {
	text := getenv(EnvParent)
	if text == "" {
		return nil, nil
	}
	parent, err := strconv.Atoi(text)
	if err != nil || parent <= 0 {
		return nil, fmt.Errorf("%s=%q is no process number", EnvParent, text)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	gone := make(chan struct{})
	go func() {
		for os.Getppid() == parent {
			if clk.Sleep(ctx, orphanEvery) != nil {
				return
			}
		}
		close(gone)
	}()
	return gone, nil
}
