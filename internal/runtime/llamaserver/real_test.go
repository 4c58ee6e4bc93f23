//go:build llamaserver && linux

package llamaserver_test

import (
	"testing"

	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/runtimetest"
)

// TestReal holds the adapter to the suite with a real llama-server as a router.
func TestReal(t *testing.T) {
	f := newFarm(t)
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		return f.start(t, llamaserver.Serve{}).subject(t)
	})
}
