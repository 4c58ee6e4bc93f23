package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
)

// Whatever stands in a plan file: an answer, and if it is yes, the brain says so too.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/wrong/*.yaml", "testdata/right/*.yaml"} {
		all, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range all {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, "x")
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, given string) {
		// A glob could make the test walk this machine.
		if strings.Contains(string(text), "glob") {
			return
		}
		path := filepath.Join(t.TempDir(), "plan.yaml")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, in := range []map[string]string{nil, {"a": given, "who": given, "list": given, "n": given}} {
			sub, err := Load(path, in, Options{})
			switch {
			case err == nil:
				if err := sub.Validate(); err != nil {
					t.Fatalf("the brain refuses what Load accepts: %v", err)
				}
			case candor.CodeOf(err) != candor.CodeInvalid || err.Error() == "":
				t.Fatalf("code %s: %v", candor.CodeOf(err), err)
			}
		}
	})
}
