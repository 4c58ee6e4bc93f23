package cli

import (
	"os"
	"syscall"
)

// stopSignals end candor. TERM is what Go makes of a closed console or a shutdown.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// reloadSignals: Windows has none; a changed configuration holds from the next start.
func reloadSignals() []os.Signal { return nil }
