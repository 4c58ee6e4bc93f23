//go:build linux

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// TestDemo: the demo needs nothing but the program, says that it is simulated,
// and ends with both makespans and where the time of each card went.
func TestDemo(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.bare = true
	out := f.candor("demo").ok().out
	for _, words := range []string{
		"SIMULATED", "125 of 125 prompts answered", "max_hot=1, reached by gpu-", "every second of each belongs to exactly one reason",
		"The old rule took ", "candor up",
	} {
		if !strings.Contains(out, words) {
			t.Errorf("the demo does not say %q", words)
		}
	}
	lines := regexp.MustCompile(`(?m)^    gpu-\d  .*\d %`).FindAllString(out, -1)
	capped := 0
	for _, l := range lines {
		if strings.Contains(l, "place.max_hot ") {
			capped++
		}
	}
	if len(lines) != 6 || capped != 2 {
		t.Errorf("%d cards are accounted for, %d of them idle for the cap:\n%s", len(lines), capped, out)
	}
}
