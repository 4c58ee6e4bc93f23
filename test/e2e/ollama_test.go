//go:build linux && ollama

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"candor"
	"candor/internal/runtime/ollama"
	"candor/internal/tinygguf"
)

// ollamaProgram finds the real Ollama: the one that is named, the one on PATH,
// or the newest that scripts/install-ollama.sh left in the cache.
func ollamaProgram(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CANDOR_OLLAMA"); named != "" {
		return named
	}
	if found, err := exec.LookPath("ollama"); err == nil {
		return found
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "candor-tools", "ollama-*", "ollama"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no ollama in $CANDOR_OLLAMA, on PATH or in %s: scripts/install-ollama.sh builds one", cache)
	}
	return found[len(found)-1]
}

// brew makes models of random weights with a real Ollama, and returns the
// folder that its servers take them from.
func (f *farm) brew(models ...tinygguf.Params) string {
	f.t.Helper()
	dir := filepath.Join(f.dir, "models")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s := ollama.Serve{Program: ollamaProgram(f.t), Port: port, Models: dir, Owner: f.dir, Base: f.env()}
	p := f.launch("brewery", append(s.Env(), s.Mark()...), s.Argv()[0], s.Argv()[1:]...)
	f.until("Ollama answers", func() bool {
		resp, err := http.Get(s.URL() + "/api/version")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	for _, m := range models {
		var file bytes.Buffer
		if err := tinygguf.Write(&file, m); err != nil {
			f.t.Fatal(err)
		}
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(file.Bytes()))
		f.post(s.URL()+"/api/blobs/"+digest, "application/octet-stream", file.Bytes(), http.StatusCreated)
		body, err := json.Marshal(map[string]any{
			"model": m.Name, "stream": false, "files": map[string]string{m.Name + ".gguf": digest},
			"parameters": map[string]any{"num_thread": 1}, // more of them spin against each other
		})
		if err != nil {
			f.t.Fatal(err)
		}
		f.post(s.URL()+"/api/create", "application/json", body, http.StatusOK)
	}
	p.stop()
	return dir
}

// TestRealOllama: a batch of 200 rows for two models on two workers goes through
// loads and swaps, an Ollama that is killed in the middle and one that is
// frozen. Every row has a result or an error of its own, none twice.
func TestRealOllama(t *testing.T) {
	f := newFarm(t, settings{
		"models.server": "ollama", "models.command": ollamaProgram(t), "models.context": "1024", "models.threads": "1",
		"models.parallel": "2", "models.max_loaded": "1", "models.token_patience": "5s", "models.on_gpu": "allow",
		"placement.load_guess": "1s", "placement.run_guess": "100ms", "placement.hold": "1s", "placement.retry": "500ms",
	})
	one, two := tinygguf.Tiny("one"), tinygguf.Tiny("two")
	two.Seed = 2
	dir := f.brew(one, two)
	f.vars = append(f.vars, "CANDOR_MODELS_DIR="+dir)
	f.brain()
	f.work("worker-1")
	f.work("worker-2")
	var rows []string
	for i := range 100 {
		rows = append(rows, fmt.Sprintf(`{"id": %d, "text": "row number %d"}`, i, i))
	}
	path := f.write("rows.jsonl", strings.Join(rows, "\n")+"\n")
	step := `
		%s:
			class: llm
			model: %s
			foreach: {file: ` + path + `, chunk: 5}
			prompt: "Say something about {{ item.text }}"
			max_tokens: 400
			options: {num_ctx: 1024}
	`
	id := f.submit("rows", fmt.Sprintf(step, "first", "one")+fmt.Sprintf(step, "second", "two"))
	done := func() int {
		b, err := f.batch(id)
		if err != nil {
			return 0
		}
		return b.Counts[candor.TaskComplete]
	}
	f.until("some rows are done", func() bool { return done() >= 4 })
	for _, p := range f.ollamas("worker-1") {
		p.kill()
	}
	f.until("more rows are done", func() bool { return done() >= 12 })
	frozen := f.ollamas("worker-2")
	for _, p := range frozen {
		if err := syscall.Kill(p.pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	b := f.ends(id)
	if b.Outcome != candor.OutcomeSucceeded {
		t.Errorf("the batch %s", b.Outcome)
	}
	f.everyRowOnce(b, "first", 100)
	f.everyRowOnce(b, "second", 100)
}
