package worker

import (
	"context"
	"encoding/json"
	"fmt"
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

// brain is a fake that hands out what a test queues and keeps what it is told.
type brain struct {
	awaited
	session   int64
	lease     int64
	queue     []queued
	registers []candor.RegisterRequest
	claims    []candor.ClaimRequest
	beats     []candor.HeartbeatRequest
	leaves    []candor.LeaveRequest
	results   map[int64][]candor.Result
	orders    candor.HeartbeatReply
	drop      []int64
	report    *candor.Report
	verdict   func(candor.Result) candor.ResultVerdict // nil: taken
	down      error                                    // every call fails with it
	claimErr  []error                                  // the next claims fail so, after they were granted
}

type queued struct {
	spec candor.StepSpec
	task candor.Assignment
}

func newBrain() *brain { return &brain{results: map[int64][]candor.Result{}} }

func (b *brain) add(spec candor.StepSpec, index int, item string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lease++
	q := queued{spec: spec, task: candor.Assignment{Task: candor.TaskID(1000 + b.lease), Index: index, Attempt: 1, Lease: b.lease}}
	if item != "" {
		q.task.Item = json.RawMessage(item)
	}
	b.queue = append(b.queue, q)
	b.touch()
	return b.lease
}

func (b *brain) Register(_ context.Context, req candor.RegisterRequest) (candor.RegisterReply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return candor.RegisterReply{}, b.down
	}
	b.session++
	b.registers = append(b.registers, req)
	b.touch()
	return candor.RegisterReply{
		Session: b.session, Heartbeat: candor.Duration(50 * time.Millisecond), Lost: candor.Duration(time.Minute), Drop: b.drop,
	}, nil
}

func (b *brain) refuse(session int64) error {
	if b.down != nil {
		return b.down
	}
	if session != b.session {
		return candor.Errorf(candor.CodeStale, "session %d is over", session)
	}
	return nil
}

func (b *brain) Claim(ctx context.Context, _ string, req candor.ClaimRequest) (candor.ClaimReply, error) {
	deadline := time.After(req.Wait.D())
	for first := true; ; first = false {
		reply, changed, err := b.claim(req, first)
		if err != nil || len(reply.Tasks) > 0 || req.Max == 0 {
			return reply, err
		}
		select {
		case <-changed:
		case <-deadline:
			return reply, nil
		case <-ctx.Done():
			return candor.ClaimReply{}, &candor.Error{Code: candor.CodeInterrupted, Message: "given up", Cause: ctx.Err()}
		}
	}
}

func (b *brain) claim(req candor.ClaimRequest, first bool) (candor.ClaimReply, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(req.Session); err != nil {
		return candor.ClaimReply{}, nil, err
	}
	reply := candor.ClaimReply{Report: b.report}
	if first {
		b.claims = append(b.claims, req)
		reply.Results = b.take(req.Results)
		b.touch()
	}
	for len(b.queue) > 0 && len(reply.Tasks) < req.Max {
		q := b.queue[0]
		b.queue = b.queue[1:]
		q.task.Spec = len(reply.Steps)
		reply.Steps = append(reply.Steps, q.spec)
		reply.Tasks = append(reply.Tasks, q.task)
	}
	if len(b.claimErr) > 0 {
		err := b.claimErr[0]
		b.claimErr = b.claimErr[1:]
		return candor.ClaimReply{}, nil, err
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return reply, b.changed, nil
}

func (b *brain) take(results []candor.Result) []candor.ResultReply {
	var replies []candor.ResultReply
	for _, r := range results {
		b.results[r.Lease] = append(b.results[r.Lease], r)
		v := candor.ResultTaken
		if b.verdict != nil {
			v = b.verdict(r)
		}
		replies = append(replies, candor.ResultReply{Task: r.Task, Lease: r.Lease, Verdict: v})
	}
	return replies
}

func (b *brain) Heartbeat(ctx context.Context, _ string, req candor.HeartbeatRequest) (candor.HeartbeatReply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(req.Session); err != nil {
		return candor.HeartbeatReply{}, err
	}
	b.beats = append(b.beats, req)
	b.touch()
	return b.orders, ctx.Err()
}

func (b *brain) Leave(_ context.Context, _ string, req candor.LeaveRequest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaves = append(b.leaves, req)
	b.touch()
	return b.down
}

func (b *brain) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.touch()
}

// result waits for the first result of a lease.
func (b *brain) result(t *testing.T, lease int64) candor.Result {
	t.Helper()
	var r candor.Result
	b.until(t, fmt.Sprintf("the result of lease %d", lease), func() bool {
		if len(b.results[lease]) > 0 {
			r = b.results[lease][0]
		}
		return len(b.results[lease]) > 0
	})
	return r
}

// beat waits for a heartbeat that ok likes.
func (b *brain) beat(t *testing.T, what string, ok func(candor.HeartbeatRequest) bool) candor.HeartbeatRequest {
	t.Helper()
	var found candor.HeartbeatRequest
	b.until(t, "a heartbeat "+what, func() bool {
		for _, h := range b.beats {
			if ok(h) {
				found = h
				return true
			}
		}
		return false
	})
	return found
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
