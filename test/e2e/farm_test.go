//go:build linux

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"candor"
	"candor/client"
)

// patience is how long anything may take that has to happen. The machine may be
// slow and busy with other tests.
const patience = 60 * time.Second

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
	limit := time.After(5 * time.Second)
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

// plan writes a plan file and returns its path.
func (f *farm) plan(name, tasks string) string {
	f.t.Helper()
	return f.write(name+".yaml", fmt.Sprintf("name: %s\ntasks:\n%s", name, indent(tasks)))
}

func indent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	cut := len(lines[0]) - len(strings.TrimLeft(lines[0], " \t"))
	for i, l := range lines {
		if len(l) >= cut {
			l = l[cut:]
		}
		lines[i] = "  " + strings.ReplaceAll(l, "\t", "  ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// submit hands a plan in through the CLI.
func (f *farm) submit(name, tasks string, flags ...string) candor.BatchID {
	f.t.Helper()
	var reply candor.SubmitReply
	f.candor(append([]string{"submit", f.plan(name, tasks), "--json"}, flags...)...).ok().json(&reply)
	return reply.Batch
}

// batch asks for a batch; it may be asked while the brain is away.
func (f *farm) batch(id candor.BatchID) (candor.Batch, error) {
	return f.c.Batch(f.t.Context(), id.String())
}

// ends waits until a batch has ended.
func (f *farm) ends(id candor.BatchID) candor.Batch {
	f.t.Helper()
	var b candor.Batch
	f.until(fmt.Sprintf("batch %s ends", id), func() bool {
		var err error
		b, err = f.batch(id)
		return err == nil && b.State == candor.BatchComplete
	})
	return b
}

// tasks lists the tasks of a batch, by id.
func (f *farm) tasks(id candor.BatchID) []candor.Task {
	f.t.Helper()
	tasks, err := f.c.Tasks(f.t.Context(), id.String(), candor.TaskQuery{Limit: 10_000})
	if err != nil {
		f.t.Fatal(err)
	}
	return tasks
}

// task is the task of that name in a batch.
func (f *farm) task(id candor.BatchID, name string) candor.Task {
	f.t.Helper()
	for _, t := range f.tasks(id) {
		if t.Name == name {
			return t
		}
	}
	f.t.Fatalf("batch %s has no task %s", id, name)
	return candor.Task{}
}

// reaches waits until a task is in a state.
func (f *farm) reaches(id candor.BatchID, name string, state candor.TaskState) candor.Task {
	f.t.Helper()
	var t candor.Task
	f.until(fmt.Sprintf("%s is %s", name, state), func() bool {
		t = f.task(id, name)
		return t.State == state
	})
	return t
}

func (f *farm) attempts(id candor.TaskID) []candor.Attempt {
	f.t.Helper()
	all, err := f.c.Attempts(f.t.Context(), id.String())
	if err != nil {
		f.t.Fatal(err)
	}
	return all
}

// why asks by the CLI, as a script would.
func (f *farm) why(target string) candor.Explanation {
	f.t.Helper()
	var x candor.Explanation
	f.candor("why", target, "--json").ok().json(&x)
	return x
}

// saysWhy wants the code, the mover and some words of an explanation.
func (f *farm) saysWhy(target string, code candor.ReasonCode, mover candor.Mover, words ...string) candor.Explanation {
	f.t.Helper()
	x := f.why(target)
	f.reason(&x.Reason, code, mover, words...)
	return x
}

func (f *farm) reason(r *candor.Reason, code candor.ReasonCode, mover candor.Mover, words ...string) {
	f.t.Helper()
	if r == nil {
		f.t.Errorf("no reason, want %s", code)
		return
	}
	if r.Code != code || r.Mover != mover {
		f.t.Errorf("the reason is %s and the move %s's, want %s and %s: %s", r.Code, r.Mover, code, mover, r.Text)
	}
	for _, w := range words {
		if !strings.Contains(r.Text, w) {
			f.t.Errorf("the reason does not say %q: %s", w, r.Text)
		}
	}
}

// events are those of a code, oldest first; "" is any.
func (f *farm) events(code candor.EventCode) []candor.Event {
	f.t.Helper()
	var out []candor.Event
	for after := int64(0); ; {
		page, err := f.c.Events(f.t.Context(), candor.EventQuery{After: after, Limit: 1000})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, e := range page {
			after = e.Seq
			if code == "" || e.Code == code {
				out = append(out, e)
			}
		}
		if len(page) == 0 {
			return out
		}
	}
}

// once wants exactly one event of a code with these words.
func (f *farm) once(code candor.EventCode, words ...string) candor.Event {
	f.t.Helper()
	var hits []candor.Event
	f.soon(func() bool {
		hits = nil
		for _, e := range f.events(code) {
			if hasAll(e.Text, words) {
				hits = append(hits, e)
			}
		}
		return len(hits) > 0
	})
	if len(hits) == 1 {
		return hits[0]
	}
	var all []string
	for _, e := range f.events(code) {
		all = append(all, e.Text)
	}
	f.t.Errorf("%s with %q was told %d times, want once; all of them: %q", code, words, len(hits), all)
	return candor.Event{}
}

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// soon gives what is written behind the answers, such as a log, the time to be
// there. It does not fail: who called looks at what came.
func (f *farm) soon(ok func() bool) {
	limit := time.After(5 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}

func (f *farm) worker(name string) candor.Worker {
	f.t.Helper()
	all, err := f.c.Workers(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, w := range all {
		if w.Name == name {
			return w
		}
	}
	return candor.Worker{}
}

// line is one record of a process's JSON log.
type line struct {
	Time      string `json:"time"`
	Level     string `json:"level"`
	Component string `json:"component"`
	Code      string `json:"code"`
	Text      string `json:"msg"`
	Worker    string `json:"worker"`
	Task      string `json:"task"`
	Lease     int64  `json:"lease"`
	Stack     string `json:"stack"`
}

// log reads the JSON log of a process; nothing if there is none yet.
func (f *farm) log(component string) []line {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.state, "logs", component+".jsonl"))
	if err != nil {
		return nil
	}
	var out []line
	for l := range bytes.Lines(text) {
		var v line
		if json.Unmarshal(l, &v) == nil { // the last one may be half written by a process that was killed
			out = append(out, v)
		}
	}
	return out
}

// logged wants n lines with all these words in a log.
func (f *farm) logged(component string, n int, words ...string) []line {
	f.t.Helper()
	var hits []line
	f.soon(func() bool {
		hits = nil
		for _, l := range f.log(component) {
			if hasAll(l.Text, words) {
				hits = append(hits, l)
			}
		}
		return len(hits) >= n
	})
	if len(hits) != n {
		f.t.Errorf("the log of %s says %q %d times, want %d", component, words, len(hits), n)
	}
	return hits
}
