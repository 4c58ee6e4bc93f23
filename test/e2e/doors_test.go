//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/client"
)

// TestF60: a token that is wrong, or of a smaller role, is named on both sides;
// the token itself nowhere.
func TestF60Tokens(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	const viewer, operator, worker, stranger = "viewer-0123456789abcdef", "operator-0123456789abcdef", "worker-0123456789abcdef", "stranger-0123456789abcdef"
	token := func(name, text string) string {
		path := f.write(name, text+"\n")
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tokens := token("tokens", "viewer "+viewer+"\noperator "+operator+"\nworker "+worker)
	f.start("brain", "brain", "--listen", "0.0.0.0:0").wait()
	if out := f.procs[0].output(); f.procs[0].cmd.ProcessState.ExitCode() != 2 || !strings.Contains(out, "other machines can reach 0.0.0.0:0") || !strings.Contains(out, "--tokens") {
		t.Errorf("without tokens it left with %d:\n%s", f.procs[0].cmd.ProcessState.ExitCode(), out)
	}

	f.start("brain", "brain", "--listen", "127.0.0.1:0", "--tokens", tokens)
	url := "http://" + f.listening()
	plan := f.plan("p", `
		a: {run: "true"}
	`)
	f.candor("ls", "--brain", url).exits(77).says("token")
	f.candor("ls", "--brain", url, "--token-file", token("t", stranger)).exits(77).says("token")
	f.candor("ls", "--brain", url, "--token-file", token("t", viewer)).ok()
	f.candor("submit", plan, "--brain", url, "--token-file", token("t", viewer)).exits(77).says("viewer", "operator")
	f.candor("submit", plan, "--brain", url, "--token-file", token("t", operator)).ok()
	f.candor("submit", plan, "--brain", url, "--token-file", f.write("open", operator+"\n")).exits(2).says("open")

	c, err := client.New(client.Options{URL: url, TokenFile: token("operator", operator)})
	if err != nil {
		t.Fatal(err)
	}
	f.c.Close()
	f.c = c
	w := f.start("worker-1", "worker", "--name", "worker-1", "--brain", url, "--token-file", token("t1", viewer))
	f.until("the worker says what is wrong", func() bool {
		return strings.Contains(w.output(), "viewer") && strings.Contains(w.output(), "worker")
	})
	f.until("so does the brain", func() bool {
		for _, l := range f.log("brain") {
			if strings.Contains(l.Text, "viewer") {
				return true
			}
		}
		return false
	})
	if w := f.worker("worker-1"); w.Name != "" {
		t.Errorf("it was let in: %+v", w)
	}
	f.start("worker-2", "worker", "--name", "worker-2", "--brain", url, "--token-file", token("t2", worker))
	f.joined("worker-2")

	for _, p := range f.procs {
		p.stop()
	}
	if err := filepath.WalkDir(f.state, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range []string{viewer, operator, worker, stranger} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds a token", path)
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestF61: a second brain on the same state is refused, with who leads it.
func TestF61SecondBrain(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	first := f.brain()
	want := []string{fmt.Sprintf("led by pid %d", first.pid()), "since ", "--state"}
	f.candor("brain").exits(75).says(want...)
	f.candor("brain", "--listen", "127.0.0.1:0").exits(75).says(want...)
	f.candor("up").exits(75).says(fmt.Sprintf("pid %d", first.pid()))
	f.ends(f.submit("still", `
		a: {foreach: {items: []}, run: "true"}
	`))
	first.kill()
	f.brain() // a lock is its holder's, and dies with it
}

// TestF62: a taken port is named with who holds it and the flag to change.
func TestF62PortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := newFarm(t, nil)
	r := f.candor("brain", "--listen", l.Addr().String()).exits(75)
	r.says(l.Addr().String()+" is taken by", fmt.Sprintf("pid %d", os.Getpid()), "e2e.test", "--listen")
	f.candor("up", "--listen", l.Addr().String()).exits(75).says(l.Addr().String() + " is taken by")
	f.brain("--listen", "127.0.0.1:0")
}

// TestF63: on a bare machine doctor says what is missing and what mends it, and
// cpu work runs all the same.
func TestF63BareMachine(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	if err := os.Remove(f.config); err != nil {
		t.Fatal(err)
	}
	// Whoever runs the test may have a card, and an Ollama at its usual place.
	f.bare, f.vars = true, []string{"PATH=" + filepath.Join(f.dir, "bin"), "OLLAMA_HOST=127.0.0.1:1"}
	if err := errors.Join(os.Mkdir(filepath.Join(f.dir, "bin"), 0o755), os.Symlink("/bin/sh", filepath.Join(f.dir, "bin", "sh"))); err != nil {
		t.Fatal(err)
	}
	r := f.candor("doctor").ok()
	for _, want := range []string{
		"no configuration file; the defaults hold (candor config show)",
		"no brain answers at ", "mend: candor up",
		"no GPU tool is installed (nvidia-smi, rocm-smi): cpu tasks only", "install its driver",
		"no Ollama answers at ", "llm tasks need a model server, others do not", "ollama serve",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("doctor does not say %q:\n%s%s", want, r.out, r.talk)
		}
	}
	plan := f.plan("work", `
		a: {run: "echo done > out", outputs: {out: out}}
	`)
	out := f.candor("run", plan, "--json").ok()
	var b candor.Batch
	out.json(&b)
	if b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("run says %s", out.out)
	}
}
