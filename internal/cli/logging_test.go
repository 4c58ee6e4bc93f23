package cli

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"candor/internal/clock"
	"candor/internal/config"
)

// The log is the first to be written, so it must not make the state directory
// for everybody to read.
func TestTheStateDirectoryIsNotForOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no modes
	}
	cfg := &config.Loaded{}
	state := filepath.Join(t.TempDir(), "state")
	cfg.State, cfg.Log.Dir = config.Path(state), config.Path(filepath.Join(state, "logs"))
	cfg.Log.Level, cfg.Log.Format = "info", "text"
	a := &app{clk: clock.System(), lookup: func(string) (string, bool) { return "", false }}
	log, err := a.openLog(cfg, "brain", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
