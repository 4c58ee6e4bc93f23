package brain_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/internal/brain"
	"candor/internal/clock"
	"candor/internal/sched"
	"candor/internal/store"
	"candor/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a real store whose commits and loads can be watched, held up and
// made to fail.
type shelf struct {
	store.Store

	mu      sync.Mutex
	before  func(*sched.Changes) error // asked before each commit; guarded by mu
	load    func() error               // asked before each load; guarded by mu
	room    error                      // what it says of its room; guarded by mu
	commits []int                      // events of each commit that succeeded; guarded by mu
}

func (s *shelf) Commit(ctx context.Context, c *sched.Changes) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(c); err != nil {
			return err
		}
	}
	err := s.Store.Commit(ctx, c)
	if err == nil {
		s.mu.Lock()
		s.commits = append(s.commits, len(c.Events))
		s.mu.Unlock()
	}
	return err
}

func (s *shelf) Load(ctx context.Context) (*sched.Snapshot, error) {
	s.mu.Lock()
	load := s.load
	s.mu.Unlock()
	if load != nil {
		if err := load(); err != nil {
			return nil, err
		}
	}
	return s.Store.Load(ctx)
}

func (s *shelf) Room(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room != nil {
		return s.room
	}
	return s.Store.Room(ctx)
}

func (s *shelf) cramp(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = err
}

func (s *shelf) onCommit(f func(*sched.Changes) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

func (s *shelf) onLoad(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load = f
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.commits)
}

// rig is a running brain on a real store.
type rig struct {
	*brain.Brain
	t     *testing.T
	opts  brain.Options
	shelf *shelf
	log   *logbook
	ended chan struct{} // closed when Run has returned
	err   error         // of Run; read after ended
	stop  context.CancelFunc
}

// start runs a brain on a new store; change adjusts its options.
func start(t *testing.T, change ...func(*brain.Options)) *rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, shelf: &shelf{Store: st}, log: &logbook{}}
	r.opts = brain.Options{
		Store: r.shelf, Clock: clock.System(), Log: slog.New(r.log), Version: "test", PID: os.Getpid(),
	}
	for _, f := range change {
		f(&r.opts)
	}
	r.boot()
	t.Cleanup(r.close)
	return r
}

// boot runs a brain on what the store has.
func (r *rig) boot() {
	r.t.Helper()
	b, err := brain.New(r.t.Context(), r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.Brain, r.stop, r.ended = b, cancel, make(chan struct{})
	go func() {
		defer close(r.ended)
		r.err = r.Run(ctx)
	}()
}

func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	<-r.ended
	r.boot()
}

func (r *rig) close() {
	r.stop()
	<-r.ended
	if err := r.shelf.Close(); err != nil {
		r.t.Error(err)
	}
}

// must hands in a command that has to succeed.
func must[R any](r *rig, cmd sched.Command) R {
	r.t.Helper()
	reply, err := r.Do(context.Background(), cmd)
	if err != nil {
		r.t.Fatalf("%T: %v", cmd, err)
	}
	out, ok := reply.(R)
	if !ok && reply != nil {
		r.t.Fatalf("%T: reply is a %T", cmd, reply)
	}
	return out
}

// refused hands in a command that has to be refused with a code.
func (r *rig) refused(cmd sched.Command, want candor.Code) error {
	r.t.Helper()
	reply, err := r.Do(context.Background(), cmd)
	if err == nil || candor.CodeOf(err) != want {
		r.t.Fatalf("%T: want %s, got reply %+v, error %v", cmd, want, reply, err)
	}
	return err
}

func (r *rig) submit(n int) candor.SubmitReply {
	r.t.Helper()
	return must[candor.SubmitReply](r, sched.Submit{Sub: plan(n, "")})
}

// plan is n tasks that do nothing.
func plan(n int, key string) candor.Submission {
	step := candor.Step{Name: "step", Class: candor.ClassCPU}
	if n != 1 {
		step.Each = &candor.Each{}
		for i := range n {
			step.Each.Items = append(step.Each.Items, fmt.Appendf(nil, "%d", i))
		}
	}
	return candor.Submission{Name: "plan", Key: key, Steps: []candor.Step{step}}
}

// modelPlan is one task that no worker of a rig takes.
func modelPlan() candor.Submission {
	return candor.Submission{Name: "llm", Steps: []candor.Step{{Name: "topics", Class: candor.ClassLLM, Model: "qwen2.5:7b"}}}
}

// join registers a worker and returns its session.
func (r *rig) join(name string, slots int) int64 {
	r.t.Helper()
	return must[candor.RegisterReply](r, sched.Register{Req: candor.RegisterRequest{
		Protocol: candor.Protocol,
		Info:     candor.WorkerInfo{Name: name, Host: "rig", PID: 1, Classes: []candor.Class{candor.ClassCPU}, Slots: slots},
		Verified: true,
	}}).Session
}

func claim(worker string, session int64, max int, wait time.Duration, results ...candor.Result) sched.Claim {
	return sched.Claim{Worker: worker, Req: candor.ClaimRequest{Session: session, Max: max, Wait: candor.Duration(wait), Results: results}}
}

// work claims and completes up to n tasks.
func (r *rig) work(worker string, session int64, n int) {
	r.t.Helper()
	reply := must[candor.ClaimReply](r, claim(worker, session, n, 0))
	if len(reply.Tasks) == 0 {
		r.t.Fatalf("%s got nothing to do: %+v", worker, reply.Report)
	}
	must[candor.ClaimReply](r, claim(worker, session, 0, 0, done(reply, candor.AttemptDone)...))
}

// done is a result for each task of a claim.
func done(reply candor.ClaimReply, outcome candor.AttemptOutcome) []candor.Result {
	var all []candor.Result
	for _, t := range reply.Tasks {
		r := candor.Result{Task: t.Task, Lease: t.Lease, Outcome: outcome}
		if outcome != candor.AttemptDone {
			r.Reason = candor.NewReason(candor.ReasonExitCode, "exit 1 after 3ms")
		}
		all = append(all, r)
	}
	return all
}

func (r *rig) status() candor.Status {
	r.t.Helper()
	return must[candor.Status](r, sched.Status{})
}

// answer is how a Do on its way ended.
type answer struct {
	reply any
	err   error
}

// begin hands in a command beside the test.
func (r *rig) begin(ctx context.Context, cmd sched.Command) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		reply, err := r.Do(ctx, cmd)
		out <- answer{reply, err}
	}()
	return out
}

// logbook keeps what was logged.
type logbook struct {
	mu    sync.Mutex
	lines []string
	attrs []map[string]string // of each line
}

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logbook) WithGroup(string) slog.Handler            { return l }

func (l *logbook) Handle(_ context.Context, rec slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, rec.Level.String()+" "+rec.Message)
	attrs := map[string]string{}
	rec.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.String(); return true })
	l.attrs = append(l.attrs, attrs)
	return nil
}

func (l *logbook) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// gate holds a commit up until it is opened.
type gate struct {
	reached chan struct{} // receives once a commit waits
	open    chan error    // what the waiting commit is told
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan error)} }

// hold is for shelf.onCommit.
func (g *gate) hold(*sched.Changes) error {
	g.reached <- struct{}{}
	return <-g.open
}

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))
