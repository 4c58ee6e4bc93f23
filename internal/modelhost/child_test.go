package modelhost_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/internal/clock"
	"candor/internal/modelhost"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

// What the test program does instead of testing, by this variable.
const (
	envRole = "MODELHOST_TEST_ROLE" // "server URL", "runner" or "deaf"
	envMark = "MODELHOST_TEST_MARK"
)

func TestMain(m *testing.M) {
	role, address, _ := strings.Cut(os.Getenv(envRole), " ")
	switch role {
	case "":
		goleak.VerifyTestMain(m)
	case "server":
		os.Exit(serve(address))
	case "runner":
		signal.Ignore(syscall.SIGTERM)
		select {}
	case "crash":
		fmt.Fprintln(os.Stderr, "no such card")
		os.Exit(3)
	}
}

// serve plays a model server with a runner in a process of its own, which
// outlives a killed server, as Ollama's does.
func serve(address string) int {
	runner := exec.Command(os.Args[0])
	runner.Env = append(os.Environ(), envRole+"=runner")
	if err := runner.Start(); err != nil {
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := simrt.Run(ctx, simrt.Options{
		Clock: clock.System(), VRAM: card, RAM: card, Slots: 4,
		Models: []simrt.Model{{Name: "alpha", Size: 1 << 30, LoadTime: 50 * time.Millisecond, Rate: 200, Endless: true}},
	}, address, func(url string) { fmt.Println("answers at", url) })
	if ctx.Err() == nil {
		return 1 // died: its runner lives
	}
	_ = runner.Process.Kill()
	_ = runner.Wait()
	if err != nil {
		return 1
	}
	return 0
}

// managed are options for a server in a process, with little patience.
func managed(t *testing.T) modelhost.Options {
	dir := t.TempDir()
	return modelhost.Options{
		Name: "worker-1", Kind: "ollama", Clock: clock.System(), Dir: dir, LogFile: dir + "/server.log", Slots: 4,
		Poll: 20 * time.Millisecond, TokenPatience: time.Second, AnswerPatience: 2 * time.Second,
		Restart: modelhost.Restart{Most: 3, Within: time.Hour, First: 10 * time.Millisecond, Longest: 20 * time.Millisecond},
		Launch:  launch(dir, "server"),
	}
}

func launch(mark, role string) modelhost.Launch {
	return func(port int) modelhost.Start {
		address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
		url := "http://" + address
		return modelhost.Start{
			Argv: []string{os.Args[0]}, Env: append(os.Environ(), envRole+"="+role+" "+address), Mark: []string{envMark + "=" + mark},
			URL:    url,
			Server: ollama.New(ollama.Options{URL: url, Clock: clock.System(), CallLimit: time.Second}),
		}
	}
}

// running is a host whose Run goes on until it is stopped.
type running struct {
	*modelhost.Host
	t    *testing.T
	stop func()
}

func run(t *testing.T, o modelhost.Options) *running {
	t.Helper()
	h, err := modelhost.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	r := &running{Host: h, t: t, stop: func() { cancel(); <-ended }}
	t.Cleanup(r.stop)
	return r
}

// until waits for a child process to show something.
func (r *running) until(what string, ok func(candor.Serving) bool) candor.Serving {
	r.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	const patience = 5 * time.Minute // met only by what hangs
	deadline := time.After(patience)
	for {
		s := r.Serving()
		if ok(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("waited %s: %s; is %+v", patience, what, s)
		}
	}
}

func (r *running) load(model string) candor.OrderResult {
	r.t.Helper()
	r.until("up", up)
	got, err := r.Do(r.t.Context(), candor.Order{Kind: candor.OrderLoad, Model: model}, nil)
	if err != nil {
		r.t.Fatalf("load %s: %v", model, err)
	}
	return got
}
