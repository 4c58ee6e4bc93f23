package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"candor/internal/daemon"
	"candor/internal/record"
)

// runBrain is the brain process: as candor brain runs it, with its log file and
// debug ring, but without a console.
func runBrain(ctx context.Context, dir string) error {
	log, err := record.Open(record.Options{
		Component: "brain", File: filepath.Join(dir, "logs", "brain.jsonl"), Ring: filepath.Join(dir, "logs", "ring", "brain"),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	go func() { // the client's end of the pipe closes when it ends, however it ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	err = daemon.Run(ctx, daemon.Options{
		StateDir: dir, Listen: []string{"unix://" + socket(dir)}, Version: "bench", Log: log.Logger(), Flush: log.Flush,
		Ready: func([]net.Addr) { fmt.Println("ready") },
	})
	return errors.Join(err, log.Close())
}

func socket(dir string) string { return filepath.Join(dir, "candor.sock") }

// brainProcess is the brain as the client sees it.
type brainProcess struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startBrain(ctx context.Context, s settings, dir string) (*brainProcess, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], "-cpuprofile", s.profile)
	cmd.Env = append(os.Environ(), brainRole+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		return nil, fmt.Errorf("brain did not start: %q %w", line, errors.Join(err, cmd.Wait()))
	}
	return &brainProcess{cmd: cmd, stdin: stdin}, nil
}

func (b *brainProcess) stop() error {
	_ = b.stdin.Close() // the brain ends on it
	return b.cmd.Wait()
}

// memory is the brain's resident memory in bytes; 0 where the system does not tell.
func (b *brainProcess) memory() int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		var kb int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	return 0
}
