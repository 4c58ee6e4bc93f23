//go:build linux

package realtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"candor/internal/tinygguf"
)

// Models are those that the conformance suite wants of a server.
func Models() []tinygguf.Params {
	endless := tinygguf.Tiny("endless").Endless()
	endless.Layers, endless.Dim, endless.Heads, endless.KVHeads, endless.FeedForward, endless.Seed = 6, 384, 6, 6, 1536, 2
	other, stutter, huge, broken := tinygguf.Tiny("other"), tinygguf.Tiny("stutter").Endless(), tinygguf.Tiny("huge").Huge(), tinygguf.Tiny("broken")
	other.Seed, stutter.Stutter, huge.Seed, broken.Omit = 3, true, 4, "blk.0.attn_q.weight"
	return []tinygguf.Params{tinygguf.Tiny("tiny"), other, endless, stutter, huge, broken}
}

// Write writes a model's file.
func Write(t *testing.T, p tinygguf.Params) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := tinygguf.Write(&file, p); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Folder writes models into a folder, as llama-server wants them.
func Folder(t *testing.T, models ...tinygguf.Params) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range models {
		if err := os.WriteFile(filepath.Join(dir, p.Name+".gguf"), Write(t, p), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Create gives a model to an Ollama, with a load-time default of one thread
// (more of them spin against each other), and returns its digest as in the
// name of the server's file.
func Create(t *testing.T, url string, p tinygguf.Params) string {
	t.Helper()
	file := Write(t, p)
	sum := fmt.Sprintf("%x", sha256.Sum256(file))
	post(t, url+"/api/blobs/sha256:"+sum, "application/octet-stream", file, http.StatusCreated)
	body, err := json.Marshal(map[string]any{
		"model": p.Name, "stream": false, "files": map[string]string{p.Name + ".gguf": "sha256:" + sum},
		"parameters": map[string]any{"num_thread": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	post(t, url+"/api/create", "application/json", body, http.StatusOK)
	return "sha256-" + sum
}

func post(t *testing.T, url, kind string, body []byte, want int) {
	t.Helper()
	resp, err := http.Post(url, kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Fatalf("%s: status %d, want %d", url, resp.StatusCode, want)
	}
}
