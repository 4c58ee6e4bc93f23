//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the candor binary under test, built by TestMain.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	switch { // a hooked worker's Ollama has both
	case os.Getenv(envOllama) != "":
		return simulatedOllama()
	case os.Getenv(envLocks) != "":
		return locksStore()
	case os.Getenv(envHooked) != "":
		return hookedWorker()
	}
	flag.Parse()
	// They wait more than they work: more of them fit beside each other than
	// there are cores. One who says -parallel knows better.
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", "6")
	}
	dir, err := os.MkdirTemp("", "candor-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "candor")
	build := exec.Command("go", "build", "-o", program, "candor/cmd/candor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build candor: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func isSet(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}
