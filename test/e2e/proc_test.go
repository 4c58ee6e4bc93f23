//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"candor"
)

// proc is a process that a test started.
type proc struct {
	f     *farm
	name  string
	cmd   *exec.Cmd
	out   string        // file of all it prints
	ended chan struct{} // closed when it has been waited for
}

// start runs the program in the background.
func (f *farm) start(name string, args ...string) *proc {
	f.t.Helper()
	return f.launch(name, f.env(), program, args...)
}

func (f *farm) launch(name string, env []string, path string, args ...string) *proc {
	f.t.Helper()
	return f.launchWith(name, func(*exec.Cmd) {}, env, path, args...)
}

func (f *farm) launchWith(name string, change func(*exec.Cmd), env []string, path string, args ...string) *proc {
	f.t.Helper()
	p := &proc{f: f, name: name, out: filepath.Join(f.dir, "out", name), ended: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(p.out), 0o755); err != nil {
		f.t.Fatal(err)
	}
	out, err := os.OpenFile(p.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		f.t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(path, args...)
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = env, f.dir, out, out
	change(p.cmd)
	if err := p.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() { defer close(p.ended); _ = p.cmd.Wait() }()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs = append(f.procs, p)
	return p
}

func (p *proc) pid() int { return p.cmd.Process.Pid }

func (p *proc) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *proc) signal(s syscall.Signal) {
	p.f.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.f.t.Errorf("%s to %s: %v", s, p.name, err)
	}
}

// kill ends it by KILL and waits for its end.
func (p *proc) kill() {
	p.f.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// wait returns its exit code, or fails the test when it does not end.
func (p *proc) wait() int {
	p.f.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.f.t.Fatalf("%s does not end", p.name)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop asks it to end, twice, and kills it if it does not listen.
func (p *proc) stop() {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL} {
		if !p.alive() {
			return
		}
		_ = p.cmd.Process.Signal(s)
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		select {
		case <-p.ended:
		case <-time.After(8 * time.Second):
		}
	}
	<-p.ended
}

func (p *proc) output() string {
	text, _ := os.ReadFile(p.out)
	return string(text)
}

// brain starts a brain and waits until it answers.
func (f *farm) brain(args ...string) *proc {
	f.t.Helper()
	p := f.start("brain", append([]string{"brain"}, args...)...)
	f.answers()
	return p
}

func (f *farm) answers() {
	f.t.Helper()
	f.until("the brain answers", func() bool { return f.c.Health(f.t.Context()) == nil })
}

// work starts a worker of one slot and waits until it has joined.
func (f *farm) work(name string, args ...string) *proc {
	f.t.Helper()
	p := f.start(name, append([]string{"worker", "--name", name, "--slots", "1"}, args...)...)
	f.joined(name)
	return p
}

// joined waits until workers ask for work.
func (f *farm) joined(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.until(name+" has joined", func() bool {
			w := f.worker(name)
			return w.Session > 0 && w.State != candor.WorkerLost && w.State != candor.WorkerGone
		})
	}
}

// up starts a brain and n workers of one slot as `candor up` does.
func (f *farm) up(n int, args ...string) *proc {
	f.t.Helper()
	p := f.start("up", append([]string{"up", "--workers", strconv.Itoa(n), "--slots", "1"}, args...)...)
	f.answers()
	for i := range n {
		f.joined("worker-" + strconv.Itoa(i+1))
	}
	return p
}

// process is any process that is alive.
type process struct {
	pid     int
	parent  int
	state   string // R, S, D, T, …
	command string
}

func (p process) String() string { return fmt.Sprintf("pid %d (%s): %s", p.pid, p.state, p.command) }

func (p process) kill() { _ = syscall.Kill(p.pid, syscall.SIGKILL) }

// processesOf are the living processes with a text in their environment, this
// one aside.
func processesOf(text string) []process {
	var out []process
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil || !bytes.Contains(env, []byte(text)) {
			continue
		}
		if p, ok := look(pid); ok {
			out = append(out, p)
		}
	}
	return out
}

// look reads a process; false if it is gone or dead already.
func look(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	rest := string(stat[bytes.LastIndexByte(stat, ')')+1:])
	fields := strings.Fields(rest)
	state := fields[0]
	parent, _ := strconv.Atoi(fields[1])
	if state == "Z" || state == "X" {
		return process{}, false
	}
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return process{pid: pid, parent: parent, state: state, command: strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))}, true
}

func exists(pid int) bool { _, ok := look(pid); return ok }
