package plan

import (
	"fmt"
	"io"
	"strings"

	"candor"
)

// Error is one thing wrong with a plan, and where.
type Error struct {
	File    string `json:"file"`             // as the caller named it
	Line    int    `json:"line,omitempty"`   // from 1; 0: not in the file (an input that was given)
	Column  int    `json:"column,omitempty"` // from 1, in characters
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`   // what to write instead, without "hint:"
	Source  string `json:"source,omitempty"` // the line it speaks of, without its line end
}

// Error is the problem in one line.
func (e *Error) Error() string { return e.place() + ": " + e.Message }

// Unwrap gives the problem its code, candor.CodeInvalid.
func (e *Error) Unwrap() error {
	return &candor.Error{Code: candor.CodeInvalid, Message: e.Error(), Hint: e.Hint}
}

// Render writes the problem for people: the place and message, the source line
// with a caret under the column, the hint.
func (e *Error) Render(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", e.place(), e.Message)
	if e.Line > 0 && e.Source != "" {
		number := fmt.Sprintf("%5d", e.Line)
		line, caret := excerpt(e.Source, e.Column)
		fmt.Fprintf(w, "%s | %s\n%s | %s^\n", number, line, strings.Repeat(" ", len(number)), strings.Repeat(" ", caret))
	}
	if e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", e.Hint)
	}
}

func (e *Error) place() string {
	if e.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
}

// Errors is everything wrong with a plan, in the order of the file.
type Errors []*Error

// Error is all of it, as Render writes it, without the last line end.
func (es Errors) Error() string {
	var b strings.Builder
	es.Render(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

// Unwrap gives the single problems, and through them the code.
func (es Errors) Unwrap() []error {
	all := make([]error, len(es))
	for i, e := range es {
		all[i] = e
	}
	return all
}

// Render writes every problem for people, one after the other.
func (es Errors) Render(w io.Writer) {
	for _, e := range es {
		e.Render(w)
	}
}

// maxExcerpt is how many characters of a source line are shown.
const maxExcerpt = 120

// excerpt makes a source line safe to print on a terminal, one cell for each
// character as far as that can be known, and says how far right the caret stands.
func excerpt(line string, column int) (shown string, caret int) {
	runes := []rune(line)
	caret = min(max(column-1, 0), len(runes))
	from := 0
	if caret > maxExcerpt-20 {
		from = caret - (maxExcerpt - 20)
	}
	runes = runes[from:min(len(runes), from+maxExcerpt)]
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' '
		case !printable(r):
			runes[i] = '�'
		}
	}
	return string(runes), caret - from
}
