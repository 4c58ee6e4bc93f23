package candor_test

import (
	"os"
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
