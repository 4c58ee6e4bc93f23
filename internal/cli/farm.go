package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"candor"
	"candor/client"
	"candor/internal/config"
	"candor/internal/gpu"
	"candor/internal/supervise"
)

// farm is a brain and local workers as supervised child processes.
type farm struct {
	a       *app
	cfg     *config.Loaded
	client  *client.Client
	logger  *slog.Logger
	console io.Writer // of the children; nil: nobody
	name    string    // of the supervisor
	workers []string  // names of the workers

	// guarded by mu
	mu   sync.Mutex
	pids map[string]int
}

// plan says which processes to keep: the brain in stage 0, workers in stage 1.
func (f *farm) plan(ctx context.Context) ([]supervise.Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cards, err := f.cards(ctx)
	if err != nil {
		return nil, err
	}
	brain := f.child("brain", self, "brain")
	if len(f.cfg.Brain.Listen) > 0 {
		brain.Argv = append(brain.Argv, "--listen", strings.Join(f.cfg.Brain.Listen, ","))
	}
	if f.cfg.TokensFile != "" {
		brain.Argv = append(brain.Argv, "--tokens", string(f.cfg.TokensFile))
	}
	brain.Ready = f.brainAnswers
	children := []supervise.Child{brain}
	n := f.cfg.Up.Workers
	for i := range n {
		slots := f.cfg.Worker.Slots
		if slots == 0 {
			slots = max(1, runtime.NumCPU()/n)
		}
		children = append(children, f.worker(self, "worker-"+strconv.Itoa(i+1), "--slots", strconv.Itoa(slots)))
	}
	for _, g := range cards {
		children = append(children, f.worker(self, "gpu-"+g.Index.Raw, "--gpu", g.UUID))
	}
	return children, nil
}

func (f *farm) cards(ctx context.Context) ([]gpu.GPU, error) {
	if !f.cfg.Up.GPUs {
		return nil, nil
	}
	inventory, err := gpu.Detect(ctx, gpu.Exec{})
	return inventory.GPUs, err
}

func (f *farm) worker(self, name string, args ...string) supervise.Child {
	f.workers = append(f.workers, name)
	c := f.child(name, append([]string{self, "worker", "--name", name, "--supervisor", f.name}, args...)...)
	c.Stage, c.Worker = 1, true
	return c
}

// child runs this program with what its own command line cannot know otherwise;
// all else it reads from the same files and environment.
func (f *farm) child(name string, argv ...string) supervise.Child {
	argv = append(argv, "--state", string(f.cfg.State), "--brain", f.cfg.Socket)
	if f.a.configFile != "" {
		argv = append(argv, "--config", f.a.configFile)
	}
	if f.a.verbose > 0 {
		argv = append(argv, "-v")
	}
	if !f.a.style(f.a.Err).on {
		argv = append(argv, "--no-color")
	}
	return supervise.Child{
		Name: name, Argv: argv, Console: f.console, Grace: f.cfg.Supervise.Grace.D(),
		LogFile: filepath.Join(string(f.cfg.Log.Dir), name+".out"),
	}
}

func (f *farm) brainAnswers(ctx context.Context) error {
	return f.a.untilAnswers(ctx, f.client)
}

// untilAnswers waits until a brain answers.
func (a *app) untilAnswers(ctx context.Context, c *client.Client) error {
	for pause := pollFirst; ; pause = min(pause*3/2, pollLongest) {
		err := c.Health(ctx)
		if err == nil {
			return nil
		}
		if code := candor.CodeOf(err); code != candor.CodeUnavailable && code != candor.CodeRetry {
			return err
		}
		if err := a.clk.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// keep runs the farm until ctx ends, and then until nothing of it is left.
func (f *farm) keep(ctx context.Context, children []supervise.Child) error {
	return supervise.Run(ctx, supervise.Options{
		Name: f.name, StateDir: string(f.cfg.State), Children: children, Host: f.client, Log: f.logger, Clock: f.a.clk,
		First: f.cfg.Supervise.Backoff.D(), Longest: f.cfg.Supervise.BackoffMax.D(), Stable: f.cfg.Supervise.Stable.D(),
		// A supervisor that is silent for as long as a lost worker counts as gone.
		Report: min(supervise.DefaultReport, f.cfg.Heartbeat.Lost.D()/3),
		OnStart: func(name string, pid, _ int) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.pids[name] = pid
		},
	})
}

// hurry asks the workers a second time, which makes them hand back what they run.
func (f *farm) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range f.workers {
		p, err := os.FindProcess(f.pids[name])
		if err == nil {
			_ = p.Signal(syscall.SIGTERM) // gone already: nothing to hurry
		}
	}
}

// newFarm prepares a farm in a state directory where no brain answers.
func (a *app) newFarm(cfg *config.Loaded, c *client.Client, logger *slog.Logger, console io.Writer) *farm {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &farm{
		a: a, cfg: cfg, client: c, logger: logger, console: console,
		name: fmt.Sprintf("%s:%d", host, os.Getpid()), pids: map[string]int{},
	}
}

// started is a farm that runs beside something else.
type started struct {
	farm *farm
	stop context.CancelFunc
	done chan error
}

// start runs a farm in the background.
func (f *farm) start(ctx context.Context) (*started, error) {
	children, err := f.plan(ctx)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &started{farm: f, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- f.keep(ctx, children) }()
	return s, nil
}

// answers waits until the brain of the farm does, or the farm has ended.
func (s *started) answers(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	up := make(chan error, 1)
	go func() { up <- s.farm.brainAnswers(ctx) }()
	select {
	case err := <-up:
		return err
	case err := <-s.done:
		s.done <- err
		return errors.Join(&candor.Error{
			Code: candor.CodeUnavailable, Message: "the brain that was started has ended",
			Hint: "its words are in " + filepath.Join(string(s.farm.cfg.Log.Dir), "brain.out"),
		}, err)
	}
}

// end stops the farm and returns when nothing of it is left.
func (s *started) end() error {
	s.stop()
	return <-s.done
}
