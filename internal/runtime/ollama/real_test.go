//go:build ollama && linux

package ollama_test

import (
	"testing"

	"candor/internal/runtime/ollama"
	"candor/internal/runtime/runtimetest"
)

// TestReal holds the adapter to the suite with a real Ollama.
func TestReal(t *testing.T) {
	f := newFarm(t)
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		return f.start(t, ollama.Serve{}).subject(t)
	})
}
