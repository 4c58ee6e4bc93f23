package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// killPatience is how long KILL may take: the kernel needs a moment to take a
// large process apart, and no longer unless a driver or NFS hangs.
const killPatience = 5 * time.Second

// Process is one started child. All methods may be called from any goroutine.
type Process struct {
	// Immutable.
	clk     Clock
	spec    Spec
	cmd     *exec.Cmd
	main    Proc
	started time.Time
	leaf    *leaf // nil without cgroup
	note    string
	log     *outlog
	pipe    *os.File // read end
	oom     oomCount // before the start
	eof     chan struct{}
	done    chan struct{}

	mu       sync.Mutex
	reaped   bool      // the numbers of main process and group are no longer ours
	ended    bool      // the main process has ended
	ours     bool      // Terminate acted before that
	deadline time.Time // until when Terminate grants grace
	seen     known     // who ever belonged by itself
	exit     Exit      // valid once done is closed
}

// Start starts the command. The process is running, and its main program
// executing, when it returns. Its end is handled whether or not anybody waits.
func Start(clk Clock, spec Spec) (*Process, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	spec = spec.withDefaults()
	program, err := spec.lookPath()
	if err != nil {
		return nil, err
	}
	log, err := createLog(clk, spec)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		log.abandon()
		return nil, fmt.Errorf("start process: %w", err)
	}
	p := &Process{
		clk: clk, spec: spec, log: log, pipe: r,
		seen: known{}, eof: make(chan struct{}), done: make(chan struct{}),
	}
	err = spec.Family.start(p, func() error { return p.spawn(program, w) })
	w.Close()
	if err != nil {
		r.Close()
		log.abandon()
		return nil, fmt.Errorf("start process: %w", err)
	}
	go p.drain()
	go p.supervise()
	return p, nil
}

// spawn tries inside a cgroup leaf first, where one is wanted. Sets the
// immutable fields that only a running process has.
func (p *Process) spawn(program string, w *os.File) error {
	p.note = "no cgroup: none asked for"
	if p.spec.Cgroup != "" {
		l, err := makeLeaf(p.spec.Cgroup)
		if err == nil {
			p.oom = readOOM(l)
			p.started = p.clk.Now()
			if p.cmd, err = launch(p.spec, program, w, l); err == nil {
				p.leaf, p.note = l, "cgroup v2 "+l.dir
				p.main = ProcState(p.cmd.Process.Pid)
				return nil
			}
			_ = l.remove()
		}
		p.note = fmt.Sprintf("no cgroup: %v", err)
	}
	p.oom = readOOM(nil)
	p.started = p.clk.Now()
	cmd, err := launch(p.spec, program, w, nil)
	if err != nil {
		return err
	}
	p.cmd = cmd
	p.main = ProcState(cmd.Process.Pid) // not reaped yet, so it is there even if it has ended
	return nil
}

func launch(spec Spec, program string, w *os.File, l *leaf) (*exec.Cmd, error) {
	cmd := &exec.Cmd{
		Path: program, Args: spec.Argv, Dir: spec.Dir, Env: spec.environ(),
		Stdout: w, Stderr: w,
	}
	apart(cmd)
	if spec.Tied {
		tie(cmd)
	}
	if l != nil {
		f, err := l.admit(cmd)
		if err != nil {
			return nil, err
		}
		defer f.Close()
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, nil
}

// drain copies the output until nobody can write any more, or supervise closes
// the pipe.
func (p *Process) drain() {
	defer close(p.eof)
	buf := make([]byte, 64<<10) // a pipe's capacity on Linux
	for {
		n, err := p.pipe.Read(buf)
		p.log.write(buf[:n])
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
				p.log.fail(fmt.Errorf("read output: %w", err))
			}
			return
		}
	}
}

// PID is the main process's number, which is also its group and session.
func (p *Process) PID() int { return p.main.PID }

// Owner is the process itself as the owner of what it starts.
func (p *Process) Owner() Owner { return Owner{PID: p.main.PID, Start: p.main.Start} }

// Started is when the process was started.
func (p *Process) Started() time.Time { return p.started }

// CgroupNote says which cgroup leaf the child runs in, or why it has none.
func (p *Process) CgroupNote() string { return p.note }

// Done is closed when the main process has ended, nothing of it is left alive
// (or Exit.Survivors names it) and the log is complete.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait blocks until Done or the end of ctx, whose error it then returns.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
}

// Output is what has been written so far.
func (p *Process) Output() Output { return p.log.output() }

// Tail is the end of the output as valid UTF-8 text without control
// characters, at most Spec.TailLimit bytes of it, from a line start if possible.
func (p *Process) Tail() string { return p.log.tailText() }

// Record describes the process for a successor; the caller adds Lease and Task.
func (p *Process) Record() Record {
	r := Record{
		Schema: recordSchema, PID: p.main.PID, Start: p.main.Start, Boot: bootID(),
		Mark: p.spec.Mark, Argv0: p.spec.Argv[0], Started: p.started, Owner: Self(),
	}
	if p.leaf != nil {
		r.Cgroup = p.leaf.dir
	}
	return r
}
