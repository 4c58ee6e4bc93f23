package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"candor/internal/clock"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// TestMain lets scripts call candor as a program of its own: the test binary
// stands in for it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"candor": func() {
			os.Exit(Main(context.Background(), os.Args[1:], Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// golden compares got with a file below testdata, or a document.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not current; go test ./internal/cli -update writes it (-want +got):\n%s", path, diff)
	}
}

// at is the instant of all views in tests.
func at() time.Time { return time.Date(2026, 2, 7, 21, 46, 30, 0, time.UTC) }

type still struct{ clock.Clock }

func (still) Now() time.Time { return at() }

// call is an app on a machine of its own, and what it writes.
type call struct {
	*app
	out, err bytes.Buffer
}

func newCall(t *testing.T, vars map[string]string) *call {
	t.Helper()
	c := &call{}
	dir := t.TempDir()
	c.app = &app{
		Stdio:  Stdio{In: &bytes.Buffer{}, Out: &c.out, Err: &c.err},
		lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		clk:    still{clock.System()}, signals: make(chan os.Signal, 4),
		goos: "linux", uid: 1000, home: filepath.Join(dir, "home"), workDir: dir,
	}
	return c
}
