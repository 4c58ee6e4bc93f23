package runtime_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"candor/internal/runtime"
)

func TestRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		unit  string
		times int
	}{
		"nothing":               {"", "", 0},
		"prose":                 {strings.Repeat("Each sentence differs a little from the one before. ", 3), "", 0},
		"a rule in a table":     {"| a | b |\n" + strings.Repeat("-", 120), "", 0},
		"blanks":                {"{\"a\": " + strings.Repeat(" ", 600), " ", 601},
		"a phrase":              {"So. " + strings.Repeat("I cannot say. ", 50), "I cannot say. ", 50},
		"a phrase, cut":         {strings.Repeat("I cannot say. ", 50) + "I can", "not say. I can", 50},
		"a loop that ended":     {strings.Repeat("la ", 300) + "and that is all there is to say.", "", 0},
		"a paragraph, too long": {strings.Repeat(strings.Repeat("x", 40)+strings.Repeat("y", 40), 40), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			unit, times := runtime.Repeated(c.text)
			if unit != c.unit || times != c.times {
				t.Errorf("%q %d times, want %q %d times", unit, times, c.unit, c.times)
			}
		})
	}
}

// Whatever is said before, a unit over and over is found, in the window that
// adapters look at.
func TestRepeatedFindsEveryLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.StringOfN(rapid.RuneFrom([]rune("abc d")), 1, 64, -1).Draw(t, "unit")
		text := rapid.String().Draw(t, "before") + strings.Repeat(unit, 600)
		end := text[max(0, len(text)-runtime.RepeatWindow):]
		got, times := runtime.Repeated(end)
		if times < 24 || !strings.HasSuffix(text, strings.Repeat(got, times)) {
			t.Errorf("found %q %d times", got, times)
		}
	})
}

func FuzzRepeated(f *testing.F) {
	f.Add("abcabcabc")
	f.Add(strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, text string) {
		if unit, times := runtime.Repeated(text); !strings.HasSuffix(text, strings.Repeat(unit, times)) {
			t.Errorf("the text does not end in %q %d times", unit, times)
		}
	})
}
