package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"candor/client"
	"candor/internal/config"
	"candor/internal/gpu"
	"candor/internal/supervise"
)

const brainName = "brain"

// farm is a brain and local workers as supervised child processes.
type farm struct {
	a       *app
	cfg     *config.Loaded
	client  *client.Client
	logger  *slog.Logger
	console io.Writer // of the children; nil: nobody
	name    string    // of the supervisor
	workers []string  // names of the workers

	words    *listener     // of the brain
	failing  chan struct{} // closed when the brain falls again and again without having answered
	answered atomic.Bool

	// guarded by mu
	mu   sync.Mutex
	pids map[string]int
}

// newFarm prepares a farm in a state directory where no brain answers.
func (a *app) newFarm(cfg *config.Loaded, c *client.Client, logger *slog.Logger, console io.Writer) *farm {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &farm{
		a: a, cfg: cfg, client: c, logger: logger, console: console,
		name: fmt.Sprintf("%s:%d", host, os.Getpid()), pids: map[string]int{}, failing: make(chan struct{}), words: &listener{next: console},
	}
}

// plan says which processes to keep: the brain in stage 0, workers in stage 1.
func (f *farm) plan(ctx context.Context) ([]supervise.Child, error) {
	if err := canListen(ctx, f.cfg); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cards, err := f.cards(ctx)
	if err != nil {
		return nil, err
	}
	children := []supervise.Child{f.brainChild(self)}
	servers := f.servers(len(cards) > 0)
	n := f.cfg.Up.Workers
	for i := range n {
		slots := f.cfg.Worker.Slots
		if slots == 0 {
			slots = max(1, runtime.NumCPU()/n)
		}
		server := noServer
		if len(cards) == 0 {
			server = servers(i)
		}
		children = append(children, f.worker(self, "worker-"+strconv.Itoa(i+1), "--slots", strconv.Itoa(slots), "--model-server", server))
	}
	for i, g := range cards {
		children = append(children, f.worker(self, "gpu-"+g.Index.Raw, "--gpu", g.UUID, "--model-server", servers(i)))
	}
	return children, nil
}

func (f *farm) brainChild(self string) supervise.Child {
	brain := f.child(brainName, self, "brain")
	if len(f.cfg.Brain.Listen) > 0 {
		brain.Argv = append(brain.Argv, "--listen", strings.Join(f.cfg.Brain.Listen, ","))
	}
	if f.cfg.TokensFile != "" {
		brain.Argv = append(brain.Argv, "--tokens", string(f.cfg.TokensFile))
	}
	brain.Ready, brain.Console = f.brainAnswers, f.words
	return brain
}

// servers says which model server the i-th worker that could have one gets: those
// that run already in their order, else one of its own for each card. Without a
// card one is enough: more would share the same cores.
func (f *farm) servers(cards bool) func(i int) string {
	urls := f.cfg.Models.URL
	return func(i int) string {
		switch {
		case i < len(urls):
			return urls[i]
		case len(urls) > 0, !cards && i > 0:
			return noServer
		case f.cfg.Models.Port > 0:
			return ":" + strconv.Itoa(f.cfg.Models.Port+i)
		}
		return ownServer
	}
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
