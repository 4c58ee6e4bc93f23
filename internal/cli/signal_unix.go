//go:build !windows

package cli

import (
	"os"
	"syscall"
)

// stopSignals end candor.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// reloadSignals make a brain read its configuration again.
func reloadSignals() []os.Signal { return []os.Signal{syscall.SIGHUP} }
