//go:build llamaserver && linux

package llamaserver_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/realtest"
	"candor/internal/tinygguf"
)

// TestRealLife is what only a real llama-server, with processes and files of
// its own, can show.
func TestRealLife(t *testing.T) {
	f := newFarm(t)
	for name, run := range map[string]func(*testing.T, farm){
		"a killed router leaves nothing":               killedRouter,
		"a router that is told to stop leaves nothing": stopLeavesNothing,
		"an odd context is not loaded twice":           oddContext,
		"a full router pushes a model out":             fullRouter,
		"loading one model disturbs no other":          noDisturbance,
		"other settings wait for answers":              settingsWait,
		"a file that was damaged is broken":            damagedFile,
		"a file that is new is found":                  newFile,
		"a file that was replaced is another content":  replacedFile,
		"the sizes are the model's own":                ownSizes,
		"a server of one model":                        oneModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

func settings() runtime.Settings { return runtime.Settings{Context: 1024, Threads: 1} }

func load(t *testing.T, c *llamaserver.Client, model string) runtime.Change {
	t.Helper()
	change, err := c.Load(t.Context(), runtime.LoadRequest{Model: model, Settings: settings()})
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func request(model string, tokens int) runtime.Request {
	return runtime.Request{Model: model, Settings: settings(), MaxTokens: tokens, Messages: []runtime.Message{{Role: "user", Text: "Hello"}}}
}

// fly starts an answer of the endless model, and returns once it flows.
func fly(t *testing.T, c *llamaserver.Client) <-chan error {
	t.Helper()
	ended, flowing := make(chan error, 1), make(chan struct{}, 1)
	go func() {
		_, err := c.Generate(t.Context(), request("endless", 300), func(runtime.Chunk) {
			select {
			case flowing <- struct{}{}:
			default:
			}
		})
		ended <- err
	}()
	<-flowing
	return ended
}

func killedRouter(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{})
	load(t, r.client, "tiny")
	child := realtest.Child(t, r.PID(), "--alias tiny ")
	realtest.Signal(t, r.PID(), unix.SIGKILL)
	realtest.Until(t, "the model's process is gone, too", func() bool { return !process.ProcState(child).State.Alive() })
}

func stopLeavesNothing(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{})
	load(t, r.client, "tiny")
	child := realtest.Child(t, r.PID(), "--alias tiny ")
	r.Stop(t)
	exit, err := r.Wait(t.Context())
	if err != nil || len(exit.Stragglers) != 0 || process.ProcState(child).State.Alive() {
		t.Errorf("%v, stragglers %v, %v", exit, exit.Stragglers, err)
	}
}

// What a model turned out to have is what it is asked for from then on.
func oddContext(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{Parallel: 2})
	odd := settings()
	odd.Context = 1000
	change, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: "tiny", Settings: odd})
	if err != nil {
		t.Fatal(err)
	}
	was, _ := runtime.Find(change.After, "tiny")
	pid := realtest.Child(t, r.PID(), "--alias tiny ")
	odd.Context = was.Context
	if change, err = r.client.Load(t.Context(), runtime.LoadRequest{Model: "tiny", Settings: odd}); err != nil || change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
	if now := realtest.Child(t, r.PID(), "--alias tiny "); now != pid {
		t.Errorf("loaded anew for a context of %d", was.Context)
	}
}

func fullRouter(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{MaxLoaded: 1})
	load(t, r.client, "tiny")
	if change := load(t, r.client, "other"); !slices.Equal(change.Evicted, []string{"tiny"}) {
		t.Errorf("evicted %v", change.Evicted)
	}
}

// The router reads its whole preset file for each load.
func noDisturbance(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{Parallel: 2})
	load(t, r.client, "endless")
	ended := fly(t, r.client)
	load(t, r.client, "tiny")
	if err := <-ended; err != nil {
		t.Errorf("the answer of the other model: %v", err)
	}
}

// A load with other settings ends the model that is there, so that answers on
// their way come first.
func settingsWait(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{})
	load(t, r.client, "endless")
	ended := fly(t, r.client)
	longer := settings()
	longer.Context *= 2
	change, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: "endless", Settings: longer})
	if err != nil || !change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the answer on its way: %v", err)
	}
}

// The list of models says nothing of their files.
func damagedFile(t *testing.T, f farm) {
	f.models = realtest.Folder(t, tinygguf.Tiny("cut"), tinygguf.Tiny("deleted"))
	r := f.start(t, llamaserver.Serve{})
	if err := os.Truncate(filepath.Join(f.models, "cut.gguf"), 300_000); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(f.models, "deleted.gguf")); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: "cut", Settings: settings()})
	if runtime.CodeOf(err) != runtime.CodeBroken || !strings.Contains(err.Error(), "corrupted or incomplete") {
		t.Errorf("cut: %v", err)
	}
	_, err = r.client.Load(t.Context(), runtime.LoadRequest{Model: "deleted", Settings: settings()})
	if code := runtime.CodeOf(err); code != runtime.CodeBroken && code != runtime.CodeMissing {
		t.Errorf("deleted: %v", err)
	}
}

func newFile(t *testing.T, f farm) {
	f.models = realtest.Folder(t, tinygguf.Tiny("old"))
	r := f.start(t, llamaserver.Serve{})
	if err := os.WriteFile(filepath.Join(f.models, "new.gguf"), realtest.Write(t, tinygguf.Tiny("new")), 0o600); err != nil {
		t.Fatal(err)
	}
	load(t, r.client, "new")
}

func replacedFile(t *testing.T, f farm) {
	f.models = realtest.Folder(t, tinygguf.Tiny("m"))
	r := f.start(t, llamaserver.Serve{})
	was, _ := runtime.Find(load(t, r.client, "m").After, "m")
	if len(was.Digest) != 64 {
		t.Fatalf("digest %q", was.Digest)
	}
	p := tinygguf.Tiny("m")
	p.Seed = 9
	path := filepath.Join(f.models, "m.gguf")
	if err := os.WriteFile(path+".new", realtest.Write(t, p), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: "m", Digest: was.Digest, Settings: settings()})
	if runtime.CodeOf(err) != runtime.CodeNotThisModel {
		t.Errorf("%v", err)
	}
}

// Weights and context and what it computes with, not only the weights that the
// API tells of.
func ownSizes(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{})
	was, _ := runtime.Find(load(t, r.client, "endless").After, "endless")
	file, err := os.Stat(filepath.Join(f.models, "endless.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	// What the context takes is seen as memory of the process: not every page of
	// it has been touched.
	if context := int64(1024 * 6 * 384 * 2 * 2); was.Size < file.Size()+context*9/10 || was.VRAM != 0 {
		t.Errorf("%d bytes, %d on a card; the file alone has %d, and the context takes %d", was.Size, was.VRAM, file.Size(), context)
	}
}

func oneModel(t *testing.T, f farm) {
	r := f.start(t, llamaserver.Serve{File: filepath.Join(f.models, "tiny.gguf"), Context: 1024})
	load(t, r.client, "tiny")
	if a, err := r.client.Generate(t.Context(), request("tiny", 5), nil); err != nil || a.Text == "" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := r.client.Unload(t.Context(), "tiny"); runtime.CodeOf(err) != runtime.CodeRefused {
		t.Errorf("unload: %v", err)
	}
	if _, err := r.client.Generate(t.Context(), request("other", 5), nil); runtime.CodeOf(err) != runtime.CodeMissing {
		t.Errorf("another name: %v", err)
	}
	longer := settings()
	longer.Context *= 2
	if _, err := r.client.Load(t.Context(), runtime.LoadRequest{Model: "tiny", Settings: longer}); runtime.CodeOf(err) != runtime.CodeContextShort {
		t.Errorf("a longer context: %v", err)
	}
	// It answers before its model is there, and has to be waited for.
	began := clock.System().Now()
	slow := f.start(t, llamaserver.Serve{File: filepath.Join(f.models, "endless.gguf"), Context: 1024})
	load(t, slow.client, "endless")
	t.Logf("ready after %s", clock.System().Now().Sub(began).Round(time.Millisecond))
}
