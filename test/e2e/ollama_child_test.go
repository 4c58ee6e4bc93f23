//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

// envOllama makes this test binary a simulated Ollama in a process of its own,
// which a worker starts and ends like a real one. Its value is a folder:
//
//	models.json  the models that it has
//	hold         as long as it is there, a server that was started says nothing
//	die          as long as it is there, a server that was started ends at once
const envOllama = "E2E_SIMULATED_OLLAMA"

func simulatedOllama() int {
	dir := os.Getenv(envOllama)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for there("hold") && ctx.Err() == nil {
		<-tick.C
	}
	if there("die") {
		fmt.Fprintln(os.Stderr, "no such card")
		return 3
	}
	var models []simrt.Model
	text, err := os.ReadFile(filepath.Join(dir, "models.json"))
	if err == nil {
		err = json.Unmarshal(text, &models)
	}
	if err == nil {
		o := simrt.Options{Clock: clock.System(), VRAM: 24 << 30, Slots: 1, Models: models}
		err = simrt.Run(ctx, o, os.Getenv("OLLAMA_HOST"), func(url string) { fmt.Println("answers at", url) })
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// hastens starts a worker whose simulated Ollama is started again at once when
// it falls.
func (f *farm) hastens(name string) {
	f.t.Helper()
	f.vars = append(f.vars, envHasty+"="+filepath.Join(f.dir, "bin", "ollama"))
	f.hooked(name, "none")
}

// keeper is a farm whose workers keep a simulated Ollama each, with the model m.
func keeper(t *testing.T, m simrt.Model, change settings) *farm {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := swift()
	for key, value := range change {
		s[key] = value
	}
	f := newFarm(t, s)
	models, err := json.Marshal([]simrt.Model{m})
	if err != nil {
		t.Fatal(err)
	}
	f.write("ollama/models.json", string(models))
	path := f.write("bin/ollama", fmt.Sprintf("#!/bin/sh\n%s='%s' exec '%s' \"$@\"\n", envOllama, filepath.Join(f.dir, "ollama"), self))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	f.vars = append(f.vars, "CANDOR_MODELS_SERVER=ollama", "CANDOR_MODELS_COMMAND="+path)
	return f
}

// sign puts one of the files of envOllama there; the returned function takes it away.
func (f *farm) sign(name string) (off func()) {
	f.t.Helper()
	path := f.write("ollama/"+name, "")
	return func() {
		f.t.Helper()
		if err := os.Remove(path); err != nil {
			f.t.Error(err)
		}
	}
}

// ollamas are the living `ollama serve` of a worker's, by its mark.
func (f *farm) ollamas(worker string) []process {
	var out []process
	for _, p := range processesOf(ollama.MarkName + "=cpu@" + filepath.Join(f.state, "workers", worker)) {
		if strings.HasSuffix(p.command, " serve") {
			out = append(out, p)
		}
	}
	return out
}

// server is a worker's model server as the brain knows it.
func (f *farm) server(worker string) candor.Serving {
	f.t.Helper()
	if s := f.worker(worker).Serving; s != nil {
		return *s
	}
	return candor.Serving{}
}

// serverIs waits until a worker's model server is in a state, after so many restarts.
func (f *farm) serverIs(worker string, state candor.ServerState, restarts int) candor.Serving {
	f.t.Helper()
	var s candor.Serving
	f.until(fmt.Sprintf("the model server of %s is %s after %d restarts", worker, state, restarts), func() bool {
		s = f.server(worker)
		return s.State == state && s.Restarts == restarts
	})
	return s
}

// misbehaves orders faults of a worker's own server.
func (f *farm) misbehaves(worker string, faults ...simrt.Fault) {
	f.t.Helper()
	for _, fault := range faults {
		body, err := json.Marshal(fault)
		if err != nil {
			f.t.Fatal(err)
		}
		f.post(f.server(worker).URL+"/simulated/faults", "application/json", body, http.StatusNoContent)
	}
}

func (f *farm) post(url, kind string, body []byte, want int) {
	f.t.Helper()
	resp, err := http.Post(url, kind, bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		f.t.Fatalf("%s: status %d, want %d", url, resp.StatusCode, want)
	}
}
