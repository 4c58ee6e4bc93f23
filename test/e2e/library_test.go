//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// library writes texts of fifteen passages.
func (f *farm) library() {
	f.t.Helper()
	for i := range 3 {
		f.write(fmt.Sprintf("texts/%d.md", i), strings.Repeat("# A heading\n\nSome words below it.\n\n", 5))
	}
}

// libraryArgs run the example on them, with its llm step.
func (f *farm) libraryArgs(model string) []string {
	f.t.Helper()
	plan, err := filepath.Abs("../../examples/library/plan.yaml")
	if err != nil {
		f.t.Fatal(err)
	}
	return []string{"run", plan, "-i", "folder=" + filepath.Join(f.dir, "texts"), "-i", "model=" + model, "--workers", "1"}
}

// TestLibraryAsksAModel runs the library example with its llm step, on a simulated
// server: one task for each chunk of passages, all of them by the schema.
func TestLibraryAsksAModel(t *testing.T) {
	t.Parallel()
	s := simulate(t, simrt.Options{Slots: 4, Models: []simrt.Model{light("qwen2.5:1.5b")}})
	change := swift()
	change["models.server"], change["models.url"] = "ollama", fmt.Sprintf("[%q]", s.url)
	f := newFarm(t, change)
	f.library()
	r := f.candor(f.libraryArgs("qwen2.5:1.5b")...).ok()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	index := lines[len(lines)-1]
	page := f.read(index)
	for _, want := range []string{"15 of 15 passages read by <bdi>qwen2.5:1.5b</bdi>", "The model was <b>simulated</b>", "<h2>Topics</h2>", `<ul class="found">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	b := candor.Batch{Dir: filepath.Dir(filepath.Dir(index))}
	f.everyRowOnce(b, "topics", 15)
	if tasks, err := os.ReadDir(filepath.Join(b.Dir, "topics")); err != nil || len(tasks) != 2 {
		t.Errorf("%d tasks for 15 passages in chunks of 8, %v", len(tasks), err)
	}
	for _, row := range f.rowsOf(b, "topics") {
		var answer struct {
			Topics  []string
			Summary string
		}
		if err := json.Unmarshal(row.Answer, &answer); err != nil || len(answer.Topics) == 0 || answer.Summary == "" {
			t.Errorf("row %d: %s %v", row.Row, row.Answer, err)
		}
	}
	f.nothingLeft()
}
