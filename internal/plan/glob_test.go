//go:build unix

package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func globOf(t *testing.T, dir, pattern string) ([]string, []*Error, error) {
	t.Helper()
	path := filepath.Join(dir, "plan.yaml")
	text := "tasks: {a: {run: \"true\", foreach: {glob: " + string(quoted(pattern)) + "}}}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var warnings []*Error
	sub, err := Load(path, nil, Options{Warn: func(e *Error) { warnings = append(warnings, e) }})
	if err != nil {
		return nil, warnings, err
	}
	var names []string
	for _, item := range sub.Steps[0].Each.Items {
		var full string
		if err := json.Unmarshal(item, &full); err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, full)
		if err != nil || !filepath.IsAbs(full) {
			t.Fatalf("%q is not an absolute path below the plan", full)
		}
		names = append(names, name)
	}
	return names, warnings, nil
}

func touch(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// F49: whatever a file is called, it arrives byte for byte.
func TestFileNamesAreData(t *testing.T) {
	dir := t.TempDir()
	names := []string{
		"$(touch pwned).md", "`id`.md", `double".md`, "single'.md", "two\nlines.md", "-rf.md", "--.md", " blanks .md",
		"tab\t.md", `back\slash.md`, "{{ inputs.x }}.md", "*.md", "[a].md", "é.md", "\u202e.md", "<b>&amp;.md", "a;b|c&d.md", "sub/$HOME.md",
	}
	touch(t, dir, names...)
	got, _, err := globOf(t, dir, "**/*.md")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("%q\nwant %q", got, names)
	}
}

func TestItemsAreSorted(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "b/a.md", "a.md", "B.md", "a/z.md", "a-b.md", "x/y/z/w.txt", ".hidden/c.md", ".d.md")
	got, _, err := globOf(t, dir, "**/*.{md,txt}")
	want := []string{"B.md", "a-b.md", "a.md", "a/z.md", "b/a.md", "x/y/z/w.txt"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	got, _, err = globOf(t, dir, ".hidden/*.md")
	if err != nil || !slices.Equal(got, []string{".hidden/c.md"}) {
		t.Errorf("a dot that is written: %q, %v", got, err)
	}
	got, _, err = globOf(t, dir, "./b/../a.md")
	if err != nil || !slices.Equal(got, []string{"a.md"}) {
		t.Errorf("one file: %q, %v", got, err)
	}
}

func TestLinksAndFolders(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "real.md", "folder.md/inside.md", "deep/x.md")
	for link, to := range map[string]string{"linked.md": "real.md", "nowhere.md": "gone", "again.md": "deep", "deep/up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	got, warnings, err := globOf(t, dir, "**/*.md")
	want := []string{"deep/x.md", "folder.md/inside.md", "linked.md", "real.md"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	var said []string
	for _, w := range warnings {
		said = append(said, w.Message)
	}
	all := strings.Join(said, "\n")
	if len(said) != 2 || !strings.Contains(all, "nowhere.md\" is a link to nothing") || !strings.Contains(all, "again.md\" is a link to a folder") {
		t.Errorf("warnings: %q", said)
	}
}
