package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"candor"
)

// maxRowBytes bounds a file of rows, and the rows as JSON, in bytes: less than the
// 256 MiB that a brain takes as one submission.
const maxRowBytes = 192 << 20

// maxWrongRows ends the reading of a file that is wrong all over.
const maxWrongRows = 10

// rows is what a file of rows holds.
type rows struct {
	items  []json.RawMessage // as written, byte for byte
	wrong  Errors
	long   Errors // items that a prompt can have and a command cannot
	failed error  // it could not be read at all
	hint   string
}

// file makes items of the rows in a file.
func (c *compiler) file(d *draft) {
	f := d.task.Foreach.object.File
	written, ok := c.filled(f.leaf)
	if !ok {
		return
	}
	full, shown := c.locate(written)
	if d.leftOut { // what does not run looks at no files
		d.items, d.step.Each = "file "+full, &candor.Each{Glob: full}
		return
	}
	found, seen := c.files[full]
	if !seen {
		found = readRows(full, shown)
		c.files[full] = found
		c.errors = append(c.errors, found.wrong...)
	}
	if len(found.long) > 0 && !d.task.asks() {
		c.errors = append(c.errors, found.long...)
		return
	}
	switch {
	case found.failed != nil:
		c.wrong(f.node, found.hint, "%q %s", shown, found.failed)
		return
	case len(found.wrong) > 0 || c.tooMany(d, len(found.items)):
		return
	case len(found.items) == 0:
		c.warn(f.node, "", "%q has no row in it", shown)
	}
	d.items, d.rows = "file "+full, found.items
	d.step.Each = &candor.Each{Glob: full, Items: found.items}
}

func readRows(full, shown string) rows {
	parse := parseJSONL
	switch strings.ToLower(filepath.Ext(full)) {
	case ".jsonl", ".ndjson":
	case ".csv":
		parse = parseCSV
	default:
		return rows{failed: errors.New("is no file of rows by its name"),
			hint: "rows.jsonl has one JSON value on each line, rows.csv has a header that names the fields"}
	}
	text, err := readBeside(full, maxRowBytes, "a file of rows")
	if err != nil {
		return rows{failed: err, hint: missingHint(err)}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r := rowReader{shown: shown}
	parse(&r, text)
	if r.size > maxRowBytes && len(r.wrong) == 0 {
		return rows{failed: fmt.Errorf("is %s as JSON, more than the %s that one batch can carry", candor.Bytes(r.size), candor.Bytes(maxRowBytes)), hint: "cut it into several files"}
	}
	return r.rows
}

// missingHint is for a file beside the plan that is not there.
func missingHint(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "a relative path starts at the plan's folder"
	}
	return ""
}

// rowReader gathers rows, and what is wrong with them.
type rowReader struct {
	rows
	shown string
	size  int // of all rows, in bytes
}

// full tells that more would be of no use.
func (r *rowReader) full() bool { return len(r.wrong) >= maxWrongRows || len(r.items) > candor.MaxRows }

func (r *rowReader) problem(e *Error) { r.wrong = append(r.wrong, e) }

// add takes a row, whose source begins in that line.
func (r *rowReader) add(row json.RawMessage, line int, source []byte) {
	if err := candor.ValidRow(row); err != nil {
		e := rowError(r.shown, line, source, 0, fmt.Sprintf("a row %s", err))
		if utf8.Valid(row) && !json.Valid(row) {
			e = notJSON(r.shown, string(row), line, "one whole JSON value on each line")
		} else if !utf8.Valid(source) {
			e = rowError(r.shown, line, source, invalidAt(source), "a row is not UTF-8")
		}
		r.problem(e)
		return
	}
	if len(row) > candor.MaxItemSize && len(r.long) < maxWrongRows {
		r.long = append(r.long, rowError(r.shown, line, source, 0, fmt.Sprintf("a row %s", candor.ValidItem(row))))
	}
	r.items, r.size = append(r.items, row), r.size+len(row)+1
}

// rowError is a problem at a byte of a line.
func rowError(shown string, line int, source []byte, offset int, message string) *Error {
	column := utf8.RuneCount(source[:offset]) + 1
	const most = 16 << 10 // nobody reads on
	if len(source) > most {
		source = source[:most]
	}
	return &Error{File: shown, Line: line, Column: column, Message: message, Source: strings.ToValidUTF8(string(source), "�")}
}

// notJSON is a problem in a JSON text that begins in that line.
func notJSON(shown, text string, line int, hint string) *Error {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	offset := len(text)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = min(max(int(syntax.Offset)-1, 0), len(text))
	}
	before := text[:offset]
	line += strings.Count(before, "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	source, _, _ := strings.Cut(text[start:], "\n")
	e := rowError(shown, line, []byte(source), offset-start, fmt.Sprintf("not JSON: %v", err))
	e.Hint = hint
	return e
}

func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return 0
}

// parseJSONL reads a JSON value from each line that is not blank.
func parseJSONL(r *rowReader, text []byte) {
	line := 0
	for source := range bytes.Lines(text) {
		line++
		if row := bytes.Trim(source, " \t\r\n"); len(row) > 0 && !r.full() {
			r.add(row, line, bytes.TrimRight(source, "\r\n"))
		}
	}
	if whole := bytes.TrimSpace(text); len(r.wrong) > 0 && bytes.HasPrefix(whole, []byte("[")) && bytes.HasSuffix(whole, []byte("]")) {
		r.wrong = r.wrong[:1]
		r.wrong[0].Hint = "this is one list, not a row on each line: jq -c '.[]' makes rows of it"
	}
}
