package cli

import "testing"

// A cell of a table for programs is shown on terminals, too: nothing in it may
// reach them raw.
func TestCellsAreInert(t *testing.T) {
	for value, want := range map[string]string{
		"rig ü 世":                    "rig ü 世",
		"h\x1b[2J\x1b]0;pwn\a":       `h\x1b[2J\x1b]0;pwn\a`,
		"a\tb\nc\rd":                 `a\tb\nc\rd`,
		`back\slash`:                 `back\\slash`,
		"\x9b31m \xff \u009b \u202e": `\x9b31m \xff \u009b \u202e`,
		"\x00\x7f":                   `\x00\x7f`,
		"\ufffd":                     "\ufffd",
	} {
		if got := tsvCell(value); got != want {
			t.Errorf("%q is written %q, want %q", value, got, want)
		}
	}
}

// A batch that is called like a state is not painted as one.
func TestStatesArePaintedWhereTheyStand(t *testing.T) {
	paint := style{on: true}.stateAt(1)
	if got := paint(0, "failed"); got != "failed" {
		t.Errorf("a name is painted: %q", got)
	}
	if got := paint(1, "failed"); got == "failed" {
		t.Error("a state is not painted")
	}
}
