package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// patience is how long a process may take to be there, or to end.
const patience = 30 * time.Second

// process is one that runs beside the benchmark, and what it printed last.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   tail
	ended chan struct{}
	err   error // once ended
}

// start runs a program until stop. With an empty path it is candor.
func start(ctx context.Context, name, path string, env []string, args ...string) (*process, error) {
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		path, env = self, append(env, roleVar+"=candor")
	}
	p := &process{name: name, cmd: exec.CommandContext(ctx, path, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.ended) }()
	return p, nil
}

// until waits for a condition, as long as the process lives.
func (p *process) until(ctx context.Context, there func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !there(ctx) {
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s ended: %w\n%s", p.name, p.err, p.out.String())
		case <-ctx.Done():
			return fmt.Errorf("%s is not there: %w\n%s", p.name, context.Cause(ctx), p.out.String())
		}
	}
	return nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil // however it ended: it was told to
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s does not end", p.name), p.cmd.Process.Kill())
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte // guarded by mu
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 4 << 10
	t.last = append(t.last, p...)
	t.last = bytes.Clone(t.last[max(0, len(t.last)-most):])
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}
