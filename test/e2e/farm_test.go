//go:build linux

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/client"
)

// patience is how long anything may take that has to happen. The machine may be
// slow and busy with other tests.
const patience = 2 * time.Minute

// farm is a state directory, the processes that a test runs on it, and a client.
type farm struct {
	t      *testing.T
	dir    string // everything of the test
	state  string
	config string
	c      *client.Client
	vars   []string // further variables of what it runs
	bare   bool     // the machine has a shell, and nothing of ours

	workDir string // of commands; "": dir

	mu    sync.Mutex
	procs []*proc // guarded by mu
}

// settings are configuration keys and their values.
type settings map[string]string

// calm are the settings of every farm, if a test does not say otherwise: quick
// heartbeats and restarts, and thresholds that a busy machine does not reach.
func calm() settings {
	return settings{
		"heartbeat.interval": "200ms", "heartbeat.lost": "10s", "heartbeat.asking": "30s", "lease": "20s",
		"stuck.cpu": "30s", "monitor.interval": "1s", "retry.backoff": "50ms", "retry.backoff_max": "1s", "up.gpus": "false",
		"worker.grace": "2s", "worker.kill_grace": "500ms", "supervise.grace": "6s",
		"supervise.backoff": "50ms", "supervise.backoff_max": "400ms", "log.level": "debug",
	}
}

// newFarm makes a farm; nothing runs yet. When the test ends, everything is
// killed and it is proven that nothing is left.
func newFarm(t *testing.T, change settings) *farm {
	t.Helper()
	dir, err := os.MkdirTemp("", "cd") // short, for the sake of the socket
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{t: t, dir: dir, state: filepath.Join(dir, "s"), config: filepath.Join(dir, "candor.yaml")}
	s := calm()
	maps.Copy(s, change)
	f.configure(s)
	if f.c, err = client.New(client.Options{URL: "unix://" + filepath.Join(f.state, "candor.sock"), Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

// configure writes the configuration file. A dotted key of a YAML mapping would
// be another key, so the sections are written out.
func (f *farm) configure(s settings) {
	f.t.Helper()
	sections := map[string]map[string]any{}
	top := map[string]any{}
	for key, value := range s {
		section, name, nested := strings.Cut(key, ".")
		if !nested {
			top[key] = json.RawMessage(value)
			if !json.Valid([]byte(value)) {
				top[key] = value
			}
			continue
		}
		if sections[section] == nil {
			sections[section] = map[string]any{}
		}
		sections[section][name] = value
		if json.Valid([]byte(value)) {
			sections[section][name] = json.RawMessage(value)
		}
	}
	for name, section := range sections {
		top[name] = section
	}
	text, err := json.MarshalIndent(top, "", "  ") // JSON is YAML
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(f.config, string(text))
}

func (f *farm) write(path, text string) string {
	f.t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
	return path
}

func (f *farm) read(path string) string {
	f.t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// env is the whole environment of what a farm runs.
func (f *farm) env() []string {
	if f.bare {
		return append([]string{"PATH=/bin:/usr/bin", "HOME=" + f.dir, "TMPDIR=" + f.dir, "CANDOR_STATE_DIR=" + f.state, "NO_COLOR=1"}, f.vars...)
	}
	return append([]string{
		"PATH=" + filepath.Dir(program) + string(filepath.ListSeparator) + os.Getenv("PATH"), "HOME=" + f.dir, "TMPDIR=" + f.dir,
		"CANDOR_CONFIG=" + f.config, "CANDOR_STATE_DIR=" + f.state, "NO_COLOR=1",
	}, f.vars...)
}

// close ends what runs and looks for what is left.
func (f *farm) close() {
	f.c.Close()
	f.mu.Lock()
	procs := slices.Clone(f.procs)
	f.mu.Unlock()
	for _, p := range slices.Backward(procs) {
		p.stop()
	}
	f.nothingLeft()
	if f.t.Failed() {
		f.tellAll(procs)
	}
	if err := os.RemoveAll(f.dir); err != nil {
		f.t.Error(err)
	}
}

func (f *farm) tellAll(procs []*proc) {
	for _, p := range procs {
		out := strings.TrimSpace(p.output())
		lines := strings.Split(out, "\n")
		lines = slices.DeleteFunc(lines, func(l string) bool {
			return strings.Contains(l, "] DEBUG") || strings.Contains(l, "Heartbeat sent")
		})
		if len(lines) > 60 {
			lines = append([]string{"…"}, lines[len(lines)-60:]...)
		}
		f.t.Logf("--- %s printed:\n%s", p.name, strings.Join(lines, "\n"))
	}
}

// nothingLeft proves that no process of the farm is alive: whatever candor runs
// carries the farm's directory in its environment. Those that are left are
// reported and killed.
func (f *farm) nothingLeft() {
	f.t.Helper()
	var left []process
	limit := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if left = processesOf(f.dir); len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
			continue
		case <-limit:
		}
		break
	}
	for _, p := range left {
		f.t.Errorf("left behind: %s", p)
		p.kill()
	}
}

// alive are the processes of the farm that have this command line.
func (f *farm) alive(command string) []process {
	var out []process
	for _, p := range processesOf(f.dir) {
		if p.command == command {
			out = append(out, p)
		}
	}
	return out
}

// candor runs a command of the CLI to its end.
func (f *farm) candor(args ...string) result {
	f.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir = f.env(), cmp.Or(f.workDir, f.dir)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	if cmd.ProcessState == nil {
		f.t.Fatalf("candor %q: %v", args, err)
	}
	return result{t: f.t, args: args, code: cmd.ProcessState.ExitCode(), out: out.String(), talk: talk.String()}
}

// result is how a command ended.
type result struct {
	t         *testing.T
	args      []string
	code      int
	out, talk string
}

// ok wants exit code 0.
func (r result) ok() result { r.t.Helper(); return r.exits(0) }

func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("candor %q left with %d, want %d\nstdout: %s\nstderr: %s", r.args, r.code, code, r.out, r.talk)
	}
	return r
}

// says wants texts on stderr.
func (r result) says(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.talk, text) {
			r.t.Errorf("candor %q does not say %q:\n%s", r.args, text, r.talk)
		}
	}
	return r
}

func (r result) json(into any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.out), into); err != nil {
		r.t.Fatalf("candor %q: %v\n%s", r.args, err, r.out)
	}
}

// until waits for a condition, by asking again and again.
func (f *farm) until(what string, ok func() bool) {
	f.t.Helper()
	f.within(patience, what, ok)
}

func (f *farm) within(d time.Duration, what string, ok func() bool) {
	f.t.Helper()
	limit := time.After(d)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			f.t.Fatalf("never happened: %s", what)
		}
	}
}
