package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"candor"
	"candor/client"
	"candor/internal/config"
	"candor/internal/simrt"
	"candor/internal/supervise"
)

// actResult is how an act went.
type actResult struct {
	rule    demoRule
	took    time.Duration
	workers []candor.Worker // as they were when the batch ended
	why     string          // what candor why said of an idle worker on the way
}

// playAct runs the batch on a farm of its own.
func (a *app) playAct(ctx context.Context, dir string, number int, rule demoRule) (r actResult, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	urls, err := a.demoServers(ctx)
	if err != nil {
		return r, err
	}
	actor, cfg, err := a.actor(dir, rule)
	if err != nil {
		return r, err
	}
	c, err := actor.clientAt(cfg, cfg.Socket)
	if err != nil {
		return r, err
	}
	defer c.Close()
	log, err := actor.openLog(cfg, "demo", nil)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	f := actor.newFarm(cfg, c, log.Logger(), nil)
	s, err := f.startWith(ctx, f.demoChildren(urls))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if err := s.begin(ctx, nil); err != nil {
		return r, err
	}
	if err := actor.poll(ctx, func(ctx context.Context, _ time.Duration) (bool, error) {
		all, err := c.Workers(ctx)
		return len(all) == demoCards, err
	}); err != nil {
		return r, err
	}
	show := newDemoScreen(a, number, rule)
	defer show.end()
	return actor.watchAct(ctx, c, rule, show)
}

// demoServers starts a model server for each simulated card.
func (a *app) demoServers(ctx context.Context) ([]string, error) {
	var urls []string
	failed := make(chan error, demoCards)
	for i := range demoCards {
		ready := make(chan string, 1)
		go func() {
			failed <- simrt.Run(ctx, a.demoServer(uint64(i)), "127.0.0.1:0", func(url string) { ready <- url })
		}()
		select {
		case url := <-ready:
			urls = append(urls, url)
		case err := <-failed:
			return nil, err
		}
	}
	return urls, nil
}

// actor is this program with settings of its own: nothing of the user's
// configuration touches the demonstration, or is touched by it.
func (a *app) actor(dir string, rule demoRule) (*app, *config.Loaded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "candor.yaml")
	text := fmt.Sprintf(`state: %q
heartbeat: {interval: 200ms}
log: {level: debug}
models: {server: ollama, parallel: 1, context: 2048}
placement: {max_hot: %d, loads_per_host: %d, load_guess: %s, run_guess: 200ms}
`, filepath.Join(dir, "s"), rule.maxHot, demoCards, demoLoad)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	b := *a
	b.configFile, b.verbose, b.quiet, b.settings = file, 0, true, nil
	b.lookup = func(string) (string, bool) { return "", false }
	cfg, err := config.Load(config.Sources{File: file, Env: b.lookup, Home: dir, WorkDir: dir, GOOS: a.goos, UID: a.uid, System: file})
	if err != nil {
		return nil, nil, err
	}
	b.loaded = cfg
	return &b, cfg, b.makeState(cfg)
}

// demoChildren are a brain and a worker for each simulated card.
func (f *farm) demoChildren(urls []string) func(context.Context) ([]supervise.Child, error) {
	return func(context.Context) ([]supervise.Child, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
		children := []supervise.Child{f.brainChild(self)}
		for i, url := range urls {
			children = append(children, f.worker(self, fmt.Sprintf("gpu-%d", i), "--gpu", fmt.Sprintf("%s:%d:24GiB", simulatedCard, i), "--model-server", url))
		}
		for i := range children {
			children[i].Env = withoutCandor(os.Environ())
		}
		return children, nil
	}
}

// withoutCandor is an environment without settings of ours.
func withoutCandor(env []string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, "CANDOR_") {
			out = append(out, e)
		}
	}
	return out
}

// demoEvery is the pause between two pictures.
const demoEvery = 200 * time.Millisecond

// watchAct submits the batch and shows it until it has ended.
func (a *app) watchAct(ctx context.Context, c *client.Client, rule demoRule, show *demoScreen) (actResult, error) {
	r := actResult{rule: rule}
	reply, err := c.Submit(ctx, demoBatch())
	if err != nil {
		return r, err
	}
	for {
		b, err := c.Batch(ctx, reply.Batch.String())
		if err != nil {
			return r, err
		}
		if r.workers, err = c.Workers(ctx); err != nil {
			return r, err
		}
		if r.why == "" {
			if r.why, err = idleWord(ctx, c, r.workers); err != nil {
				return r, err
			}
		}
		show.picture(b, r.workers, r.why)
		if b.State == candor.BatchComplete {
			r.took = b.FinishedAt.Sub(b.CreatedAt)
			if b.Outcome != candor.OutcomeSucceeded {
				return r, candor.Errorf(candor.CodeInternal, "the batch %s: %v", b.Outcome, b.Counts)
			}
			return r, nil
		}
		if err := a.clk.Sleep(ctx, demoEvery); err != nil {
			return r, err
		}
	}
}

// idleWord asks why a worker does nothing while others answer prompts; "" as
// long as there is none.
func idleWord(ctx context.Context, c *client.Client, workers []candor.Worker) (string, error) {
	answering := false
	for i := range workers {
		answering = answering || workers[i].Completed > 10
	}
	for i := range workers {
		w := &workers[i]
		if !answering || len(w.Running) > 0 || w.State != candor.WorkerCold {
			continue
		}
		x, err := c.Why(ctx, w.Name)
		if err != nil {
			return "", err
		}
		return "candor why " + w.Name + ": " + x.Reason.Text, nil
	}
	return "", nil
}
