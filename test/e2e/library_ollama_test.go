//go:build linux && ollama

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/internal/tinygguf"
)

// TestLibraryOnOllama runs the library example on a real Ollama. The model's
// weights are random: what it says is nonsense, and may have no end, but each
// passage has a result or an error of its own, and the page says which.
func TestLibraryOnOllama(t *testing.T) {
	f := newFarm(t, settings{
		"models.command": ollamaProgram(t), "models.threads": "1", "models.parallel": "2", "models.on_gpu": "allow",
	})
	f.vars = append(f.vars, "CANDOR_MODELS_DIR="+f.brew(tinygguf.Tiny("tiny")), "CANDOR_MODELS_SERVER=ollama")
	f.library()
	r := f.candor(f.libraryArgs("tiny")...)
	if r.code != 0 && r.code != 3 { // all rows of a chunk may have failed
		t.Fatalf("it left with %d: %s", r.code, r.talk)
	}
	pages, err := filepath.Glob(filepath.Join(f.state, "batches", "*", "index", "index.html"))
	if err != nil || len(pages) != 1 {
		t.Fatalf("pages %v, %v: %s", pages, err, r.talk)
	}
	page := f.read(pages[0])
	if !strings.Contains(page, "15 of 15 passages read by <bdi>tiny</bdi>") || strings.Contains(page, "simulated") {
		t.Errorf("the page:\n%s", page)
	}
	f.everyRowOnce(candor.Batch{Dir: filepath.Dir(filepath.Dir(pages[0]))}, "topics", 15)
	f.nothingLeft()
}
