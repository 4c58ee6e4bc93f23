package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid is a table for people: columns as wide as their widest cell, the last
// one as long as it is.
type grid struct {
	indent string
	head   []string
	rows   [][]string
	paint  func(column int, text string) string // nil: no paint
	width  int                                  // of the terminal; 0: lines are not cut
}

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) write(w io.Writer) {
	widths := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(clean(cell)))
		}
	}
	if strings.Join(g.head, "") != "" {
		g.line(w, g.head, widths, nil)
	}
	for _, row := range g.rows {
		g.line(w, row, widths, g.paint)
	}
}

func (g *grid) line(w io.Writer, cells []string, widths []int, paint func(int, string) string) {
	var b strings.Builder
	b.WriteString(g.indent)
	used := utf8.RuneCountInString(g.indent)
	for i, cell := range cells {
		cell = clean(cell)
		last := i == len(cells)-1
		if last && g.width > 0 {
			cell = cut(cell, g.width-used)
		}
		pad := widths[i] - utf8.RuneCountInString(cell) + 2
		if paint != nil {
			b.WriteString(paint(i, cell))
		} else {
			b.WriteString(cell)
		}
		if !last {
			b.WriteString(strings.Repeat(" ", pad))
		}
		used += widths[i] + 2
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

// cut shortens a text to n characters, with a mark that it was.
func cut(text string, n int) string {
	if n < 10 || utf8.RuneCountInString(text) <= n { // too little room: let the terminal wrap
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
