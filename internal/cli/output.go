package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// format is the form of an answer.
type format string

const (
	formatTable format = "table" // for people
	formatWide  format = "wide"  // the same with more columns
	formatJSON  format = "json"  // one document
	formatJSONL format = "jsonl" // a document for each thing, one to a line
	formatTSV   format = "tsv"   // a heading, then a line for each thing
)

func formats() []string {
	return []string{string(formatTable), string(formatWide), string(formatJSON), string(formatJSONL), string(formatTSV)}
}

// addOutput gives a reading verb its -o and --json.
func addOutput(cmd *cobra.Command) {
	cmd.Flags().StringP("output", "o", string(formatTable), "form of the answer: "+strings.Join(formats(), ", "))
	cmd.Flags().Bool("json", false, "same as -o json")
	completeWords(cmd, "output", formats())
}

func outputOf(cmd *cobra.Command) (format, error) {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return formatJSON, nil
	}
	text, _ := cmd.Flags().GetString("output")
	return format(text), oneOf("--output", text, formats())
}

// column is one column of a list of T.
type column[T any] struct {
	title string
	wide  bool // shown by -o wide and tsv only
	state bool // a state, verdict or grade: painted as one
	cell  func(T) string
	tsv   func(T) string // what programs get in its place: a time and not an age; nil: the same
}

// kind names the JSON shape of a thing and of a list of them: candor/batch/v1,
// candor/batches/v1.
type kind struct{ one, many string }

// writeList answers with a list.
func writeList[T any](a *app, cmd *cobra.Command, k kind, items []T, columns []column[T]) error {
	f, err := outputOf(cmd)
	if err != nil {
		return err
	}
	switch f {
	case formatJSON:
		if items == nil {
			items = []T{}
		}
		return writeJSON(a.Out, k.many, map[string][]T{k.many: items}, true)
	case formatJSONL:
		for _, item := range items {
			if err := writeJSON(a.Out, k.one, item, false); err != nil {
				return err
			}
		}
		return nil
	case formatTSV:
		return writeTSV(a.Out, items, columns)
	case formatTable, formatWide:
	}
	s := a.style(a.Out)
	g := grid{}
	if f == formatTable {
		g.width, _ = terminal(a.Out)
		columns = slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool { return c.wide })
	}
	var states []int
	for i, c := range columns {
		g.head = append(g.head, c.title)
		if c.state {
			states = append(states, i)
		}
	}
	g.paint = s.stateAt(states...)
	for _, item := range items {
		g.row(cells(item, columns)...)
	}
	g.write(a.Out)
	return nil
}

func cells[T any](item T, columns []column[T]) []string {
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.cell(item)
	}
	return row
}

// writeOne answers with one thing; view writes it for people.
func writeOne[T any](a *app, cmd *cobra.Command, k kind, item T, columns []column[T], view func(w io.Writer, wide bool)) error {
	f, err := outputOf(cmd)
	if err != nil {
		return err
	}
	switch f {
	case formatJSON, formatJSONL:
		return writeJSON(a.Out, k.one, item, f == formatJSON)
	case formatTSV:
		return writeTSV(a.Out, []T{item}, columns)
	case formatTable, formatWide:
	}
	view(a.Out, f == formatWide)
	return nil
}

// writeTSV writes a heading and a line for each item.
func writeTSV[T any](w io.Writer, items []T, columns []column[T]) error {
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	if _, err := fmt.Fprintln(w, strings.Join(titles, "\t")); err != nil {
		return err
	}
	for _, item := range items {
		if _, err := fmt.Fprintln(w, tsvLine(item, columns)); err != nil {
			return err
		}
	}
	return nil
}

// tsvLine is an item for programs. What a table marks with a dash, since nothing
// is there, is empty here.
func tsvLine[T any](item T, columns []column[T]) string {
	row := cells(item, columns)
	for i, c := range columns {
		if c.tsv != nil {
			row[i] = c.tsv(item)
		}
		if row[i] == nothing {
			row[i] = ""
		}
		row[i] = tsvCell(row[i])
	}
	return strings.Join(row, "\t")
}

// tsvCell writes a value as one cell. Tabs and line ends would break the form, so
// they are written as \t and \n; what a terminal would obey rather than show is
// written as \x1b and \u202e, for this form is read on terminals, too.
func tsvCell(value string) string {
	var b strings.Builder
	for i, r := range value {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == utf8.RuneError && !strings.HasPrefix(value[i:], string(r)): // a byte that is no UTF-8
			fmt.Fprintf(&b, `\x%02x`, value[i])
		case printable(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// writeJSON writes an object with the schema that names its shape in front.
func writeJSON(w io.Writer, shape string, v any, indent bool) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", shape, err)
	}
	doc := []byte(`{"schema":"candor/` + shape + `/v1"`)
	if rest := body[1:]; len(rest) > 1 {
		doc = append(doc, ',')
	}
	doc = append(doc, body[1:]...)
	if indent {
		var b bytes.Buffer
		if err := json.Indent(&b, doc, "", "  "); err != nil {
			return fmt.Errorf("write %s: %w", shape, err)
		}
		doc = b.Bytes()
	}
	_, err = w.Write(append(doc, '\n'))
	return err
}
