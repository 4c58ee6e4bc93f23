package candor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor"
)

// What docs/models.md calls a code or a setting is one.
func TestModelsDocumentNamesWhatThereIs(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	settings := read("docs/configuration.md")
	codes := candor.ReasonCodes()
	found := 0
	for _, m := range regexp.MustCompile("`([a-z]+\\.[a-z_]+)`").FindAllStringSubmatch(read("docs/models.md"), -1) {
		name := m[1]
		switch section, _, _ := strings.Cut(name, "."); {
		case slices.Contains([]string{"models", "placement", "heat"}, section):
			if !strings.Contains(settings, "| `"+name+"` |") {
				t.Errorf("%s is no setting", name)
			}
		case slices.Contains([]string{"answer.txt", "answer.json", "result.json", "results.jsonl"}, name):
			continue
		case !slices.Contains(codes, candor.ReasonCode(name)):
			t.Errorf("%s is no code", name)
		}
		found++
	}
	if found < 40 {
		t.Errorf("%d names: the document has lost some", found)
	}
}

// Every test of a fault that docs/faults.md names is there, and every one that is
// there is named.
func TestFaultsDocumentNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("test/e2e/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			there = append(there, m[1])
		}
	}
	var named []string
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(text), -1) {
		named = append(named, m[1])
		if !slices.Contains(there, m[1]) {
			t.Errorf("docs/faults.md names %s, which is no test of test/e2e", m[1])
		}
	}
	for _, name := range there {
		if regexp.MustCompile(`^TestF\d\d`).MatchString(name) && !slices.Contains(named, name) {
			t.Errorf("docs/faults.md does not name %s", name)
		}
	}
}
