package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"candor"
	"candor/client"
	"candor/internal/supervise"
)

// brainFalls is how often a brain that never answered is started again before
// one looks at why.
const brainFalls = 2

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
		Report:  min(supervise.DefaultReport, f.cfg.Heartbeat.Lost.D()/3),
		OnStart: f.noteStart,
	})
}

func (f *farm) noteStart(name string, pid, restart int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pids[name] = pid
	if name == brainName && restart == brainFalls && !f.answered.Load() {
		close(f.failing)
	}
}

// hurry asks the workers a second time, which makes them hand back what they run.
// By INT: a second TERM right after the first would be taken for its echo.
func (f *farm) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range f.workers {
		p, err := os.FindProcess(f.pids[name])
		if err == nil {
			_ = p.Signal(os.Interrupt) // gone already: nothing to hurry
		}
	}
}

// started is a farm that runs beside something else.
type started struct {
	farm *farm
	stop context.CancelFunc
	done chan error
}

// start runs a farm in the background.
func (f *farm) start(ctx context.Context) (*started, error) { return f.startWith(ctx, f.plan) }

// startWith runs the processes of a plan in the background.
func (f *farm) startWith(ctx context.Context, plan func(context.Context) ([]supervise.Child, error)) (*started, error) {
	children, err := plan(ctx)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &started{farm: f, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- f.keep(ctx, children) }()
	return s, nil
}

// begin waits until the brain answers. It may fall instead, or be asked to stop.
func (s *started) begin(ctx context.Context, stops <-chan string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	up := make(chan error, 1)
	go func() { up <- s.farm.brainAnswers(ctx) }()
	select {
	case err := <-up:
		s.farm.answered.Store(err == nil)
		return err
	case <-s.farm.failing:
		return s.farm.lastWords()
	case err := <-s.done:
		s.done <- err // for end
		return errors.Join(s.farm.lastWords(), err)
	case word := <-stops:
		return &interrupted{signalOf(word)}
	}
}

// lastWords is why a brain does not stay up, as it said itself.
func (f *farm) lastWords() error {
	e := &candor.Error{Code: candor.CodeUnavailable, Message: "the brain does not stay up", Hint: "its log is in " + string(f.cfg.Log.Dir)}
	message, hint := f.words.last()
	if message != "" {
		e.Message += ": " + message
	}
	if hint != "" {
		e.Hint = hint
	}
	return e
}

// listener hears what a child prints, passes it on, and keeps the last error that
// it explained.
type listener struct {
	next io.Writer // nil: nobody

	// guarded by mu
	mu            sync.Mutex
	message, hint string
}

func (w *listener) Write(p []byte) (int, error) {
	w.mu.Lock()
	for line := range strings.Lines(string(p)) {
		line = strings.TrimSpace(line)
		if said, ok := strings.CutPrefix(line, "candor: "); ok {
			w.message, w.hint = said, ""
		}
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			w.hint = hint
		}
	}
	w.mu.Unlock()
	if w.next == nil {
		return len(p), nil
	}
	return w.next.Write(p)
}

func (w *listener) last() (message, hint string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.message, w.hint
}

// end stops the farm and returns when nothing of it is left.
func (s *started) end() error {
	s.stop()
	return <-s.done
}

// wait returns when nothing of a stopped farm is left; each further stop hurries it.
func (s *started) wait(stops <-chan string) error {
	for {
		select {
		case err := <-s.done:
			return err
		case <-stops:
			s.farm.hurry()
		}
	}
}
