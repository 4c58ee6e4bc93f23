//go:build (ollama || llamaserver) && linux

package modelhost_test

import (
	"syscall"
	"testing"

	"candor/internal/modelhost"
	"candor/internal/runtime"
)

// answering borrows the model and has it answer until something ends it.
func answering(t *testing.T, h *running) <-chan error {
	t.Helper()
	loan, err := h.Borrow(t.Context(), modelhost.Want{Model: "tiny"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended, flowing := make(chan error, 1), make(chan struct{})
	go func() {
		n := 0
		_, err := loan.Server.Generate(t.Context(), runtime.Request{
			Model: loan.Model, Settings: loan.Settings, MaxTokens: 900, Messages: []runtime.Message{{Role: "user", Text: "Hello"}},
		}, func(runtime.Chunk) {
			if n++; n == 5 {
				close(flowing)
			}
		})
		loan.Return(modelhost.Faulted)
		ended <- err
	}()
	select {
	case <-flowing:
	case err := <-ended:
		t.Fatalf("ended before it could be disturbed: %v", err)
	}
	return ended
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}
