//go:build linux || darwin

package worker

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/clock"
)

var _ = flag.Bool("update", false, "write golden files anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", path, diff)
	}
}

func (f *farm) clock() clock.Clock { return clock.System() }

func dialError() error {
	return &candor.Error{Code: candor.CodeUnavailable, Message: "no brain", Cause: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
}
