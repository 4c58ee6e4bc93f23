package cli

import (
	"fmt"
	"os"
	"testing"

	"candor"
	"candor/internal/config"
)

func TestAStateHasOneKeeper(t *testing.T) {
	cfg := &config.Loaded{}
	cfg.State = config.Path(t.TempDir())
	if who := lastKeeper(cfg); who != (keeper{}) {
		t.Errorf("before any: %s", who)
	}
	first, err := keepFarm(cfg, keptByRun)
	if first == nil || err != nil {
		t.Fatal(first, err)
	}
	if second, err := keepFarm(cfg, keptByUp); second != nil || err != nil {
		t.Errorf("a second one: %v, %v", second, err)
	}
	who := lastKeeper(cfg)
	if want := fmt.Sprintf("candor run (pid %d)", os.Getpid()); who.String() != want {
		t.Errorf("kept by %s, want %s", who, want)
	}
	if err := who.busy(cfg); candor.CodeOf(err) != candor.CodeLocked {
		t.Error(err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	next, err := keepFarm(cfg, keptByUp)
	if next == nil || err != nil {
		t.Fatal(next, err)
	}
	if who := lastKeeper(cfg); who.verb != keptByUp {
		t.Errorf("the next one is %s", who)
	}
	if err := next.release(); err != nil {
		t.Fatal(err)
	}
}
