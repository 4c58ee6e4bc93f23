//go:build linux || darwin

package worker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/internal/process"
)

const patience = 20 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv("WORKER_TEST_PART") {
	case "":
	case "worker":
		playWorker()
		return
	case "unprivileged":
		playUnprivileged()
		return
	}
	goleak.VerifyTestMain(m)
}

// awaited is state that tests change and wait for.
type awaited struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (a *awaited) touch() {
	if a.changed != nil {
		close(a.changed)
	}
	a.changed = make(chan struct{})
}

// until blocks until ok holds; it is asked with mu held, after each change.
func (a *awaited) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		a.mu.Lock()
		if ok() {
			a.mu.Unlock()
			return
		}
		if a.changed == nil {
			a.changed = make(chan struct{})
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// lines keeps log lines as "LEVEL sentence".
type lines struct {
	awaited
	all    []string
	stacks []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r.Level.String()+" "+r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stack" {
			l.stacks = append(l.stacks, a.Value.String())
		}
		return true
	})
	l.touch()
	return nil
}

func (l *lines) wait(t *testing.T, part string) string {
	t.Helper()
	var found string
	l.until(t, "the line "+part, func() bool {
		for _, s := range l.all {
			if strings.Contains(s, part) {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, s := range l.all {
		if strings.Contains(s, part) {
			n++
		}
	}
	return n
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// farm is one worker under test.
type farm struct {
	*brain
	t     *testing.T
	dir   string
	log   *lines
	stop  chan string
	kill  context.CancelFunc
	ended chan error
}

// start runs a worker; change adjusts its options. It is stopped at the end of
// the test unless the test did so.
func start(t *testing.T, b *brain, change func(*Options)) *farm {
	t.Helper()
	return startIn(t, b, t.TempDir(), change)
}

func startIn(t *testing.T, b *brain, dir string, change func(*Options)) *farm {
	t.Helper()
	f := &farm{brain: b, t: t, dir: dir, log: &lines{}, stop: make(chan string, 2), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	f.kill = cancel
	o := options(b, dir, f.log)
	o.Stop = f.stop
	if change != nil {
		change(&o)
	}
	go func() { f.ended <- Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-f.ended:
		case <-time.After(patience):
			t.Errorf("the worker does not end:\n%s", f.log.text())
		}
		if t.Failed() {
			t.Logf("log:\n%s", f.log.text())
		}
	})
	return f
}

func options(b Brain, dir string, log slog.Handler) Options {
	return Options{
		Name: "worker-1", StateDir: dir, Brain: b, Slots: 2, Log: slog.New(log), Host: "rig",
		Classes: []candor.Class{candor.ClassCPU}, Sample: quickest, KillGrace: 300 * time.Millisecond, Poll: time.Second, Tools: []string{"sh"},
	}
}

// over waits for the worker's end and returns its error.
func (f *farm) over() error {
	f.t.Helper()
	select {
	case err := <-f.ended:
		f.ended <- err
		return err
	case <-time.After(patience):
		f.t.Fatalf("the worker does not end:\n%s", f.log.text())
		return nil
	}
}

// spec is a step "passages" of batch 7 whose outputs go below dir.
func spec(dir string, change func(*candor.Step)) candor.StepSpec {
	s := candor.StepSpec{Batch: 7, BatchName: "library", BatchDir: filepath.Join(dir, "batches", "b"), PlanDir: dir,
		Step: candor.Step{Name: "passages", Class: candor.ClassCPU}}
	if change != nil {
		change(&s.Step)
	}
	return s
}

func run(script string) func(*candor.Step) {
	return func(s *candor.Step) { s.Run = script }
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for process.ProcState(pid).State.Alive() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("pid %d lives: %+v", pid, process.ProcState(pid))
		}
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("%s still holds %v", dir, entries)
	}
}

func subset(t *testing.T, all []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(all, w) {
			t.Errorf("%q is not in\n%s", w, strings.Join(all, "\n"))
		}
	}
}
