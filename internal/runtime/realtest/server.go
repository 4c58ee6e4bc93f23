//go:build linux

package realtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/process"
)

// Find finds a server's program: the one that env names, the one on PATH, or
// the newest that script left in the cache.
func Find(t *testing.T, env, name, script string) string {
	t.Helper()
	if named := os.Getenv(env); named != "" {
		return named
	}
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	found, err := filepath.Glob(filepath.Join(cache, "candor-tools", name+"-*", name))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s in $%s, on PATH or in %s: %s gets one", name, env, cache, script)
	}
	return found[len(found)-1]
}

// Server is one running server.
type Server struct {
	*process.Process
}

// Start starts a server, waits until ready says that it answers, and ends it
// with the test.
func Start(t *testing.T, spec process.Spec, ready func() bool) Server {
	t.Helper()
	spec.Log = filepath.Join(t.TempDir(), "serve.log")
	proc, err := process.Start(clock.System(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s := Server{proc}
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("the server's last words:\n%s", proc.Tail())
		}
	})
	Until(t, "the server answers", ready)
	return s
}

// Stop ends a server; all that it started has to end with it.
func (s Server) Stop(t *testing.T) {
	t.Helper()
	if report := s.Terminate(t.Context(), 15*time.Second); len(report.Survivors) > 0 {
		t.Errorf("the server left %v", report.Survivors)
	}
}

// FreePort is a port that nobody listened on just now.
func FreePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// patience with what real servers do beside all that a machine has to do: only
// what hangs meets it.
const patience = 5 * time.Minute

// Until waits for something outside of the test to show.
func Until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond) //nolint:forbidigo // tests wait for real processes
	defer tick.Stop()
	began := clock.System().Now()
	for !ok() {
		<-tick.C
		if clock.System().Now().Sub(began) > patience {
			t.Fatalf("waited %s: %s", patience, what)
		}
	}
}
