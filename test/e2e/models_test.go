//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor"
	"candor/internal/clock"
	"candor/internal/simrt"
)

// played is a simulated model server inside the test.
type played struct {
	*simrt.Server
	url string
}

// simulate starts a simulated model server.
func simulate(t *testing.T, o simrt.Options) *played {
	t.Helper()
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.VRAM == 0 && o.RAM == 0 {
		o.VRAM = 24 << 30
	}
	s := simrt.New(o)
	web := httptest.NewServer(s)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	return &played{s, web.URL}
}

// serves starts a worker that uses a model server which is there already.
func (f *farm) serves(name string, s *played, args ...string) *proc {
	f.t.Helper()
	return f.work(name, append([]string{"--model-server", s.url}, args...)...)
}

// rowsOf reads all rows of a step, whichever task has them.
func (f *farm) rowsOf(b candor.Batch, step string) []candor.RowResult {
	f.t.Helper()
	var out []candor.RowResult
	files, err := filepath.Glob(filepath.Join(b.Dir, step, "*", "result*.json*"))
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(files)
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			f.t.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var r candor.RowResult
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				f.t.Fatalf("%s: %v: %s", path, err, lines.Text())
			}
			out = append(out, r)
		}
		if err := lines.Err(); err != nil {
			f.t.Fatal(err)
		}
		_ = file.Close()
	}
	return out
}

// everyRowOnce wants n rows with different items, each with an answer or an
// error of its own.
func (f *farm) everyRowOnce(b candor.Batch, step string, n int) {
	f.t.Helper()
	seen := map[string]bool{}
	for _, r := range f.rowsOf(b, step) {
		item := string(r.Item)
		if seen[item] {
			f.t.Errorf("%s: the row %s is there twice", step, item)
		}
		seen[item] = true
		if (len(r.Answer) == 0) == (r.Error == nil) {
			f.t.Errorf("%s: the row %s has neither an answer nor an error, or both", step, item)
		}
	}
	if len(seen) != n {
		f.t.Errorf("%s: %d rows, want %d", step, len(seen), n)
	}
}

// asking is the body of a step that asks a model n times for a few words.
func asking(model string, items string, more ...string) string {
	return strings.Join(append([]string{
		"class: llm", "model: " + model, "foreach: {items: " + items + "}", `prompt: "Say {{ item }}."`, "max_tokens: 20",
	}, more...), "\n")
}
