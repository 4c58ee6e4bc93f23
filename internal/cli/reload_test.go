package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/daemon"
	"candor/internal/record"
)

func TestReloadTakesUpTheGoodAndRefusesTheBad(t *testing.T) {
	c := newCall(t, nil)
	file := filepath.Join(c.workDir, "candor.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("lease: 2m\n")
	cfg, err := c.config(c.root())
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	log, err := record.Open(record.Options{Component: "brain", Console: &lines})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{a: c.app, cfg: cfg, log: log, logger: log.Logger(), rules: make(chan daemon.Rules, 1)}

	write("leese: 3m\n")
	s.reload(t.Context())
	if len(s.rules) != 0 || s.cfg != cfg {
		t.Error("a bad file was taken up")
	}
	write("lease: 3m\nlog: {format: json}\n")
	s.reload(t.Context())
	if got := (<-s.rules).Sched.Lease; got != 3*time.Minute {
		t.Errorf("lease %s reached the brain, want 3m", got)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`Configuration refused, the old one stays: ` + file + `:1:1: unknown key "leese" in the file (did you mean "lease"?)`,
		`Setting lease changed from "2m" to "3m"`,
		`Setting log.format changed from "text" to "json"; it holds from the next start`,
		`Configuration read again, 2 changes`,
	} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no line says %q:\n%s", want, lines.String())
		}
	}
}
