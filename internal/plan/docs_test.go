package plan

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each whole plan in the document loads, without a warning.
func TestDocumentedPlansLoad(t *testing.T) {
	text, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"docs/a.md": "# A\n", "reviews.csv": "id,text\n1,good\n2,\"bad, sadly\"\n"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	whole := 0
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains("\n"+block[1], "\ntasks:\n") {
			continue
		}
		whole++
		path := filepath.Join(dir, "plan.yaml")
		if err := os.WriteFile(path, []byte(block[1]), 0o644); err != nil {
			t.Fatal(err)
		}
		sub, err := Load(path, nil, Options{Warn: func(e *Error) { t.Errorf("%v: %s", e, e.Hint) }})
		if err != nil {
			t.Errorf("%v\n%s", err, block[1])
			continue
		}
		if err := resolved(t).Validate(asEditor(t, path)); err != nil {
			t.Errorf("the schema refuses it: %v\n%s", err, sub.Name)
		}
	}
	if whole < 2 {
		t.Errorf("%d whole plans: the document has lost some", whole)
	}
}
