package config_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor"
	"candor/internal/config"
)

// machine is a machine with its own home, working directory and system file.
type machine struct {
	config.Sources
	vars map[string]string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{vars: map[string]string{}}
	m.Sources = config.Sources{
		Flags: map[string]config.Flag{},
		Env:   func(name string) (string, bool) { v, ok := m.vars[name]; return v, ok },
		Home:  filepath.Join(dir, "home"), WorkDir: filepath.Join(dir, "work"),
		System: filepath.Join(dir, "etc", "config.yaml"), GOOS: "linux", UID: 1000,
	}
	return m
}

func (m *machine) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) project() string { return filepath.Join(m.WorkDir, "candor.yaml") }
func (m *machine) user() string    { return filepath.Join(m.Home, ".config", "candor", "config.yaml") }

func (m *machine) load(t *testing.T) *config.Loaded {
	t.Helper()
	l, err := config.Load(m.Sources)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return l
}

func entry(t *testing.T, l *config.Loaded, key string) (value, origin string) {
	t.Helper()
	for _, e := range l.Entries() {
		if e.Key == key {
			return e.Value, e.Origin.String()
		}
	}
	t.Fatalf("no entry %q", key)
	return "", ""
}

func TestEachLayerBeatsTheOneBelow(t *testing.T) {
	m := newMachine(t)
	layers := []struct {
		set           func()
		value, origin string
	}{
		{func() {}, "2m", "default"},
		{func() { m.write(t, m.System, "lease: 121s\n") }, "2m1s", m.System + ":1:1"},
		{func() { m.write(t, m.user(), "log: {level: warn}\nlease: 122s\n") }, "2m2s", m.user() + ":2:1"},
		{func() { m.write(t, m.project(), "lease: 123s\n") }, "2m3s", m.project() + ":1:1"},
		{func() { m.vars["CANDOR_LEASE"] = "124s" }, "2m4s", "$CANDOR_LEASE"},
		{func() { m.Flags["lease"] = config.Flag{Name: "lease", Text: "125s"} }, "2m5s", "--lease"},
	}
	for _, layer := range layers {
		layer.set()
		value, origin := entry(t, m.load(t), "lease")
		if value != layer.value || origin != layer.origin {
			t.Errorf("lease = %s from %s, want %s from %s", value, origin, layer.value, layer.origin)
		}
	}
	if value, _ := entry(t, m.load(t), "log.level"); value != "warn" {
		t.Errorf("log.level = %s: a key that only the user's file has must hold", value)
	}
}

func TestGivenFileTakesTheProjectFilesPlace(t *testing.T) {
	m := newMachine(t)
	m.write(t, m.project(), "lease: 5m\n")
	m.write(t, filepath.Join(m.WorkDir, "other.yaml"), "lease: 6m\n")
	m.vars["CANDOR_CONFIG"] = "other.yaml"
	if value, _ := entry(t, m.load(t), "lease"); value != "6m" {
		t.Errorf("lease = %s, want 6m", value)
	}
	m.File = "absent.yaml"
	if _, err := config.Load(m.Sources); candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("absent --config: error %v, want code invalid", err)
	}
}

func TestWhatIsWrongNamesItsPlace(t *testing.T) {
	tests := []struct {
		name, file string
		env        map[string]string
		want, hint string
	}{
		{name: "unknown key", file: "log:\n  levl: info\n", want: `FILE:2:3: unknown key "levl" in log`, hint: `did you mean "level"?`},
		{name: "unknown section", file: "hartbeat: {lost: 60s}\n", want: `FILE:1:1: unknown key "hartbeat" in the file`, hint: `did you mean "heartbeat"?`},
		{name: "nothing near", file: "zzzzzz: 1\n", want: `FILE:1:1: unknown key "zzzzzz" in the file`},
		{name: "twice", file: "lease: 5m\nlease: 6m\n", want: `FILE:2:1: key "lease" stands here for the second time, first in line 1`},
		{name: "no unit", file: "lease: 5\n", want: `FILE:1:8: lease: "5" is not a duration`, hint: "write it with a unit, like 90s, 10m or 1h30m"},
		{name: "enum", file: "log: {level: warning}\n", want: `FILE:1:14: log.level: "warning" is not one of debug, info, warn, error`, hint: `did you mean "warn"?`},
		{name: "least", file: "monitor:\n  interval: 1ms\n", want: `FILE:2:13: monitor.interval: 1ms is less than 1s, the least possible`},
		{name: "list wanted", file: "worker: {labels: a100}\n", want: `FILE:1:18: worker.labels is a list`, hint: "write it like [a, b]"},
		{name: "class", file: "worker: {classes: [cpu, gpu]}\n", want: `FILE:1:19: worker.classes: "gpu" is not one of resource, script, cpu, llm`, hint: `did you mean "cpu"?`},
		{name: "one value wanted", file: "lease: [1m]\n", want: `FILE:1:8: lease is one value, not a list or a mapping`},
		{name: "section wanted", file: "log: info\n", want: `FILE:1:6: log has settings of its own: write them indented below it`},
		{name: "broken YAML", file: "log:\n\tlevel: info\n", want: `FILE:2:1: found character that cannot start any token`},
		{name: "variable", env: map[string]string{"CANDOR_LEASE": "soon"}, want: `$CANDOR_LEASE: "soon" is not a duration`, hint: "write it with a unit, like 90s, 10m or 1h30m"},
		{name: "two that clash", file: "heartbeat: {lost: 5m}\n", want: `FILE:1:13: lease must not be shorter than heartbeat.lost, or tasks are taken from workers that are not lost`, hint: "raise lease or lower heartbeat.lost"},
		{name: "address", file: "brain: {listen: [somewhere]}\n", want: `FILE:1:9: brain.listen: "somewhere" is neither unix:///path nor host:port`, hint: "for this machine only: 127.0.0.1:7070"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			if tt.file != "" {
				m.write(t, m.project(), tt.file)
			}
			for k, v := range tt.env {
				m.vars[k] = v
			}
			_, err := config.Load(m.Sources)
			e, ok := errors.AsType[*candor.Error](err)
			if !ok || e.Code != candor.CodeInvalid {
				t.Fatalf("error %v, want a candor.Error with code invalid", err)
			}
			got := strings.ReplaceAll(e.Message, m.project(), "FILE")
			if got != tt.want || e.Hint != tt.hint {
				t.Errorf("got  %s (%s)\nwant %s (%s)", got, e.Hint, tt.want, tt.hint)
			}
		})
	}
}

func TestPathsStartWhereTheyAreWritten(t *testing.T) {
	m := newMachine(t)
	m.write(t, m.user(), "state: data\ntoken_file: ~/token\n")
	m.vars["CANDOR_TOKENS_FILE"] = "tokens"
	c := m.load(t).Config
	want := [3]config.Path{
		config.Path(filepath.Join(filepath.Dir(m.user()), "data")),
		config.Path(filepath.Join(m.Home, "token")),
		config.Path(filepath.Join(m.WorkDir, "tokens")),
	}
	if got := [3]config.Path{c.State, c.TokenFile, c.TokensFile}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTheSocketFollowsFromTheStateDirectory(t *testing.T) {
	tests := []struct {
		name      string
		vars      map[string]string
		addresses []string
		url       string
	}{
		{name: "home", addresses: []string{"unix:///h/.local/state/candor/candor.sock"}, url: "unix:///h/.local/state/candor/candor.sock"},
		{name: "XDG", vars: map[string]string{"XDG_STATE_HOME": "/s"}, addresses: []string{"unix:///s/candor/candor.sock"}, url: "unix:///s/candor/candor.sock"},
		{name: "relative XDG is ignored", vars: map[string]string{"XDG_STATE_HOME": "s"}, addresses: []string{"unix:///h/.local/state/candor/candor.sock"}, url: "unix:///h/.local/state/candor/candor.sock"},
		{name: "an address more", vars: map[string]string{"CANDOR_STATE_DIR": "/s", "CANDOR_BRAIN_LISTEN": "[::1]:7070"}, addresses: []string{"unix:///s/candor.sock", "[::1]:7070"}, url: "unix:///s/candor.sock"},
		{name: "a brain elsewhere", vars: map[string]string{"CANDOR_STATE_DIR": "/s", "CANDOR_BRAIN_URL": "http://rig:7070"}, addresses: []string{"unix:///s/candor.sock"}, url: "http://rig:7070"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.Home = "/h"
			maps.Copy(m.vars, tt.vars)
			l := m.load(t)
			if diff := cmp.Diff(tt.addresses, l.Addresses()); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
			if l.Brain.URL != tt.url {
				t.Errorf("URL %s, want %s", l.Brain.URL, tt.url)
			}
		})
	}
}

func TestALongStateDirectoryHasItsSocketElsewhere(t *testing.T) {
	sockets := map[string]string{}
	for _, last := range []string{"a", "b"} {
		m := newMachine(t)
		m.vars["XDG_RUNTIME_DIR"] = "/run/user/7"
		m.vars["CANDOR_STATE_DIR"] = "/" + strings.Repeat("d", 120) + last
		listen := m.load(t).Socket
		if !strings.HasPrefix(listen, "unix:///run/user/7/candor-") || len(listen) > 60 {
			t.Errorf("listen %q, want a short path in the runtime directory", listen)
		}
		if again := m.load(t).Socket; again != listen {
			t.Errorf("listen %q, then %q: a client would not find the brain", listen, again)
		}
		sockets[listen] = last
	}
	if len(sockets) != 2 {
		t.Errorf("two state directories share a socket: %v", sockets)
	}
}

func TestReloadKeepsTheOldOnABadFile(t *testing.T) {
	m := newMachine(t)
	m.write(t, m.project(), "log: {level: info}\n")
	old := m.load(t)
	m.write(t, m.project(), "log: {level: loud}\n")
	if _, err := old.Reload(); candor.CodeOf(err) != candor.CodeInvalid {
		t.Errorf("reload of a bad file: %v, want code invalid", err)
	}
	m.write(t, m.project(), "log: {level: debug, format: json}\n")
	next, err := old.Reload()
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Change{
		{Key: "log.level", Old: "info", New: "debug", Live: true},
		{Key: "log.format", Old: "text", New: "json"},
	}
	if diff := cmp.Diff(want, old.Changes(next)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if old.Log.Level != "info" {
		t.Errorf("the old configuration changed: %+v", old.Log)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("log: {level: info}\n")
	f.Add("lease: [")
	f.Add("a: &x {b: *x}\n")
	f.Add("? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		m := newMachine(t)
		m.write(t, m.project(), text)
		if _, err := config.Load(m.Sources); err != nil && candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("error %v has code %s, want invalid", err, candor.CodeOf(err))
		}
	})
}
