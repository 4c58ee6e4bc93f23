package cli

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"candor"
	"candor/internal/record"
)

// style paints words for a terminal; the zero value leaves them alone. Colour
// repeats what a word says and never says anything of its own.
type style struct{ on bool }

func (a *app) style(w io.Writer) style {
	if f, ok := file(w); ok {
		w = f
	}
	return style{on: !a.noColor && record.ColorFor(w, a.getenv)}
}

func (s style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

// state paints the name of a state, verdict or outcome.
func (s style) state(word string) string {
	switch word {
	case string(candor.TaskFailed), string(candor.WorkerLost), string(candor.VerdictNever), "fail":
		return s.red(word)
	case string(candor.TaskComplete), string(candor.OutcomeSucceeded), string(candor.VerdictYes), "ok":
		return s.green(word)
	case string(candor.TaskCancelled), string(candor.VerdictNotNow), "not now", "warn", "stuck":
		return s.yellow(word)
	default:
		return word
	}
}

// stateAt paints states where they stand, and nowhere else: a batch may be
// called ok.
func (s style) stateAt(columns ...int) func(int, string) string {
	return func(i int, text string) string {
		if slices.Contains(columns, i) {
			return s.state(text)
		}
		return text
	}
}

// terminal tells whether w is one, and how many characters fit in its lines; 0
// where that is not known.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := file(w)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || height == 0 {
		return 0, true
	}
	return width, true
}

// interactive tells whether a person can be asked.
func (a *app) interactive() bool {
	in, isFile := a.In.(*os.File)
	_, talks := terminal(a.Err)
	return isFile && term.IsTerminal(int(in.Fd())) && talks
}

// clean makes a text of unknown origin one harmless line: what a terminal
// would obey, and what would hide or reorder text, is replaced.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !printable(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// cleanLines is clean for text of several lines.
func cleanLines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || printable(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func printable(r rune) bool { return unicode.IsGraphic(r) }

// age writes how long ago t was: 34s, 14m, 1h12m; "-" for never.
func age(now, t time.Time) string {
	if t.IsZero() {
		return nothing
	}
	d := max(0, now.Sub(t)) // clocks of two machines differ
	if d < time.Second {
		return "0s"
	}
	return candor.ShortDuration(d.Truncate(time.Second))
}

// nothing is how a cell of a table says that there is none.
const nothing = "-"

// orDash is text for a cell that must not be empty.
func orDash(text string) string {
	if text == "" {
		return nothing
	}
	return text
}
