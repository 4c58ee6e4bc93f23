package gpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// maxOutput bounds what is kept of a tool's output: 64 cards with a thousand
// processes each stay far below.
const maxOutput = 8 << 20

// pipeGrace is how long a killed tool's pipes may stay open, held by a child
// of its own that the kill did not reach.
const pipeGrace = time.Second

// Exec runs tools as child processes in a process group of their own, with
// LC_ALL=C.
type Exec struct {
	Limit time.Duration // of one run; 0 is DefaultLimit
}

var _ Runner = Exec{}

// Run implements Runner. A tool that no signal ends (a driver that hangs in the
// kernel) is left behind: its goroutine ends when the kernel lets it go.
func (e Exec) Run(ctx context.Context, name string, args ...string) (Output, error) {
	limit := e.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stdout, stderr := &capped{}, &capped{}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = pipeGrace
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return Output{}, fmt.Errorf("start %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return outcome(ctx, cmd, err, stdout, stderr)
	case <-ctx.Done():
	}
	// Killed now; one that can be ended is gone within the grace. After it
	// Wait may still be blocked, and its buffers are not ours to read.
	hung, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*pipeGrace)
	defer stop()
	select {
	case <-ended:
	case <-hung.Done():
	}
	return Output{}, fmt.Errorf("run %s: %w", name, ctx.Err())
}

func outcome(ctx context.Context, cmd *exec.Cmd, err error, stdout, stderr *capped) (Output, error) {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Output{}, fmt.Errorf("run %s: %w", cmd.Path, ctx.Err())
	case err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay):
		return Output{}, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	return Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), ExitCode: cmd.ProcessState.ExitCode()}, nil
}

// capped keeps the first maxOutput bytes and takes the rest without keeping it.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), maxOutput-c.Len())])
	return len(p), nil
}
