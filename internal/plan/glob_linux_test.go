package plan

import (
	"slices"
	"strings"
	"testing"
)

// What only a file system that takes any bytes for a name can hold.

func TestNamesThatAreNotUTF8AreRefused(t *testing.T) {
	for _, name := range []string{"bad\xff.md", "bad\xff/x.md"} {
		dir := t.TempDir()
		touch(t, dir, "good.md", name)
		_, _, err := globOf(t, dir, "**/*.md")
		if err == nil || !strings.Contains(err.Error(), "is not UTF-8") || !strings.Contains(err.Error(), `bad\xff`) {
			t.Errorf("%q: %v", name, err)
		}
		if got, _, err := globOf(t, dir, "g*.md"); err != nil || len(got) != 1 {
			t.Errorf("a pattern that does not meet it: %q, %v", got, err)
		}
	}
}

func TestNamesThatLookTheSameStayTwo(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "\u00e9.md", "e\u0301.md")
	got, _, err := globOf(t, dir, "*.md")
	if err != nil || !slices.Equal(got, []string{"e\u0301.md", "\u00e9.md"}) {
		t.Errorf("%q, %v", got, err)
	}
}
