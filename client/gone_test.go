package client_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/client"
)

// TestABrainThatEndsWhileItIsAsked is named by its socket, not by the URL that
// HTTP needs for one.
func TestABrainThatEndsWhileItIsAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1<<10)) // the question
			_ = conn.Close()
		}
	}()
	c := newClient(t, client.Options{URL: "unix://" + path})
	_, err = c.Host(t.Context(), candor.HostReport{Supervisor: "rig"})
	wantError(t, err, candor.CodeUnavailable, "candor doctor")
	if text := err.Error(); !strings.Contains(text, "unix://"+path+" closed the connection") || strings.Contains(text, "localhost") {
		t.Errorf("%q", text)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	_, err = c.Status(t.Context())
	wantError(t, err, candor.CodeUnavailable, "candor up")
	if text := err.Error(); !strings.Contains(text, path) || strings.Contains(text, "localhost") {
		t.Errorf("%q", text)
	}
}
