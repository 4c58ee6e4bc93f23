package worker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/gpu"
	"candor/internal/modelhost"
	"candor/internal/process"
)

// Brain is what a worker asks of a brain; *client.Client is one.
type Brain interface {
	Session
	Work
}

// Session is how a worker comes and goes.
type Session interface {
	Register(ctx context.Context, req candor.RegisterRequest) (candor.RegisterReply, error)
	Leave(ctx context.Context, worker string, req candor.LeaveRequest) error
}

// Work is what happens in between.
type Work interface {
	Claim(ctx context.Context, worker string, req candor.ClaimRequest) (candor.ClaimReply, error)
	Heartbeat(ctx context.Context, worker string, req candor.HeartbeatRequest) (candor.HeartbeatReply, error)
}

// What zero values of Options stand for.
const (
	DefaultGrace      = 30 * time.Second // what a drain lets running attempts have
	DefaultKillGrace  = 5 * time.Second  // between TERM and KILL
	DefaultPoll       = 5 * time.Second  // a claim waits this long for work, and then says what it saw
	DefaultSample     = 2 * time.Second  // between two looks at a running attempt
	DefaultKeepFailed = 20               // work directories of failed attempts kept
)

// Options says who a worker is. Name, StateDir, Brain and Log are required.
type Options struct {
	Name     string // letters, digits, dot, dash, underscore; unique per brain
	StateDir string // holds attempts/ and workers/<name>/; see docs/worker.md
	Brain    Brain

	Classes []candor.Class // in order of preference; nil: all that it can serve
	Slots   int            // attempts at once; 0 = 1
	Labels  []string       // given by the owner
	Tools   []string       // programs to offer if they are on PATH; nil: whatever is
	GPU     *gpu.GPU       // nil: none

	// Telemetry runs the vendor's tool to refresh GPU; nil: GPU stays as given.
	Telemetry gpu.Runner

	// Models is its model server; nil: none. The worker runs it.
	Models *modelhost.Host

	Supervisor string // name of the supervisor that can see and end this process; "": none
	Version    string // of candor
	Host       string // "": the operating system's name for it
	Log        *slog.Logger
	Clock      clock.Clock // nil: the system's

	// Stop brings the names of what asks the worker to go, such as TERM. The
	// first one drains: nothing new is claimed, and what runs may end within
	// Grace. The second one, and the end of Run's ctx, hand back at once.
	Stop <-chan string

	Grace     time.Duration // 0 = DefaultGrace
	KillGrace time.Duration // 0 = DefaultKillGrace
	Poll      time.Duration // 0 = DefaultPoll
	Sample    time.Duration // 0 = DefaultSample

	// BadWorkerExit is the exit code by which a task accuses its host; 0: none.
	// (123 is usual in cctools, but xargs says it too when a command fails.)
	BadWorkerExit int
	KeepFailed    int // 0 = DefaultKeepFailed; negative: none

	// Family is of the processes that this one starts and inherits; nil: it
	// inherits none.
	Family *process.Family

	// KeepLogs is how long a batch's logs outlive its last attempt here. It is
	// for a state directory that no brain shares: a brain removes what is in its
	// own when the batch leaves its history. 0: for ever.
	KeepLogs time.Duration

	// Environ is what the pass list picks from; nil: this process's environment.
	Environ []string
	// OnPoint is called where tests let a worker go wrong (block, panic):
	// "claim" before each claim, "attempt" in each attempt's goroutine,
	// "report" before each heartbeat. nil: nothing.
	OnPoint func(point string)
}

var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (o Options) withDefaults() (Options, error) {
	if !nameRule.MatchString(o.Name) {
		return o, &candor.Error{Code: candor.CodeInvalid, Message: "worker name " + quote(o.Name) + " cannot be used",
			Hint: "use up to 64 letters, digits, dots, dashes and underscores"}
	}
	if err := candor.CheckWorkerName(o.Name); err != nil {
		return o, err
	}
	dir, err := filepath.Abs(o.StateDir)
	if err != nil || o.StateDir == "" {
		return o, &candor.Error{Code: candor.CodeInvalid, Message: "worker needs a state directory", Hint: "--state DIR", Cause: err}
	}
	o.StateDir = dir
	o.Slots = max(o.Slots, 1)
	o.Grace = or(o.Grace, DefaultGrace)
	o.KillGrace = or(o.KillGrace, DefaultKillGrace)
	o.Poll = or(o.Poll, DefaultPoll)
	o.Sample = or(o.Sample, DefaultSample)
	o.KeepFailed = or(o.KeepFailed, DefaultKeepFailed)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Classes == nil {
		o.Classes = []candor.Class{candor.ClassCPU}
		if o.GPU != nil {
			o.Classes = []candor.Class{candor.ClassScript, candor.ClassCPU}
		}
		if o.Models != nil {
			o.Classes = append(append([]candor.Class{candor.ClassResource}, o.Classes...), candor.ClassLLM)
		}
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname() // a host without a name is a display matter
	}
	if o.OnPoint == nil {
		o.OnPoint = func(string) {}
	}
	return o, nil
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
