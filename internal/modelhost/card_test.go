package modelhost_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/gpu"
	"candor/internal/modelhost"
)

// smi plays nvidia-smi with one card.
type smi struct{}

// Run implements gpu.Runner.
func (smi) Run(_ context.Context, name string, args ...string) (gpu.Output, error) {
	switch {
	case name != "nvidia-smi":
		return gpu.Output{}, exec.ErrNotFound
	case strings.HasPrefix(args[0], "--query-gpu="):
		return gpu.Output{Stdout: []byte("0, GPU-1, NVIDIA RTX 4090, 24564, 10240, 14324, 61, 120.0, 450.00, 12, 00000000:01:00.0, 580.1\n")}, nil
	}
	return gpu.Output{Stdout: []byte("GPU-1, 4242, /usr/bin/python3, 10240\n")}, nil
}

func TestCardOf(t *testing.T) {
	got, err := modelhost.CardOf(smi{}, "GPU-1")(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := modelhost.Card{
		Free: 14324 * candor.MiB, Total: 24564 * candor.MiB,
		Holders: []modelhost.Holder{{PID: 4242, Program: "python3", Memory: 10 * candor.GiB}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := modelhost.CardOf(smi{}, "GPU-2")(t.Context()); err == nil || !strings.Contains(err.Error(), "GPU-2") {
		t.Errorf("another card: %v", err)
	}
}
