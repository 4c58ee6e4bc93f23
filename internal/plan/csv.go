package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// csvReader reads CSV as RFC 4180 describes it: fields between commas, in double
// quotes where they hold a comma, a quote or a line end. The standard library's
// reader would change line ends inside quotes; a value is data.
type csvReader struct {
	text []byte
	at   int
	line int
}

// csvFault is why the reader stopped.
type csvFault struct {
	line    int
	offset  int // of the place, within the text
	message string
	hint    string
}

// parseCSV makes an object of texts of each record after the first, which names
// the fields.
func parseCSV(r *rowReader, text []byte) {
	c := csvReader{text: text, line: 1}
	if !utf8.Valid(text) {
		i := invalidAt(text)
		line := 1 + bytes.Count(text[:i], []byte("\n"))
		r.problem(rowError(r.shown, line, lineAt(text, i), i-lineStart(text, i), fmt.Sprintf("byte 0x%02x is not UTF-8", text[i])))
		return
	}
	var names []json.RawMessage
	for !c.end() && !r.full() {
		line, begun := c.line, c.at
		record, fault := c.record()
		switch {
		case fault != nil:
			e := rowError(r.shown, fault.line, lineAt(text, fault.offset), fault.offset-lineStart(text, fault.offset), fault.message)
			e.Hint = fault.hint
			r.problem(e)
			return // where the next record begins is anyone's guess
		case record == nil: // a blank line
		case names == nil:
			names = r.header(record, line, lineAt(text, begun))
			if names == nil {
				return
			}
		case len(record) != len(names):
			e := rowError(r.shown, line, lineAt(text, begun), 0, fmt.Sprintf("%d fields, and the header has %d", len(record), len(names)))
			e.Hint = `a field with a comma in it stands in double quotes: "a, b"`
			r.problem(e)
		default:
			r.add(asObject(names, record), line, lineAt(text, begun))
		}
	}
}

// asObject is a record as JSON, fields in the order of the header.
func asObject(names []json.RawMessage, record []string) json.RawMessage {
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), quoted(record[i])...)
	}
	return append(b, '}')
}

// header gives the names of the fields as JSON; nil if one of them is none.
func (r *rowReader) header(record []string, line int, source []byte) []json.RawMessage {
	seen := map[string]int{}
	var names []json.RawMessage
	for i, name := range record {
		switch {
		case name == "":
			r.problem(rowError(r.shown, line, source, 0, fmt.Sprintf("field %d has no name in the header", i+1)))
			return nil
		case seen[name] > 0:
			r.problem(rowError(r.shown, line, source, 0, fmt.Sprintf("fields %d and %d have the same name: %q", seen[name], i+1, clip(name))))
			return nil
		}
		seen[name] = i + 1
		names = append(names, quoted(name))
	}
	return names
}

func (c *csvReader) end() bool { return c.at >= len(c.text) }

// record reads the fields up to the next line end; nil for a blank line.
func (c *csvReader) record() ([]string, *csvFault) {
	if c.lineEnd() {
		return nil, nil
	}
	var record []string
	for {
		field, fault := c.field()
		if fault != nil {
			return nil, fault
		}
		record = append(record, field)
		switch {
		case c.end() || c.lineEnd():
			return record, nil
		case c.text[c.at] == ',':
			c.at++
		default:
			return nil, &csvFault{c.line, c.at, "after a quoted field comes a comma or the line's end", `a quote inside quotes is written twice: "say ""yes"""`}
		}
	}
}

// lineEnd takes a line end, if there is one here.
func (c *csvReader) lineEnd() bool {
	for _, end := range []string{"\n", "\r\n"} {
		if bytes.HasPrefix(c.text[c.at:], []byte(end)) {
			c.at += len(end)
			c.line++
			return true
		}
	}
	return false
}

func (c *csvReader) field() (string, *csvFault) {
	if !c.end() && c.text[c.at] == '"' {
		return c.quoted()
	}
	begun := c.at
	for !c.end() {
		switch b := c.text[c.at]; {
		case b == ',' || b == '\n' || b == '\r' && bytes.HasPrefix(c.text[c.at:], []byte("\r\n")):
			return string(c.text[begun:c.at]), nil
		case b == '"':
			return "", &csvFault{c.line, c.at, "a quote inside a field that does not begin with one", `put the field in quotes, and write the quote twice: "12"" wide"`}
		}
		c.at++
	}
	return string(c.text[begun:]), nil
}

func (c *csvReader) quoted() (string, *csvFault) {
	line, begun := c.line, c.at
	var field []byte
	for c.at++; !c.end(); c.at++ {
		switch b := c.text[c.at]; {
		case b != '"':
			if b == '\n' {
				c.line++
			}
			field = append(field, b)
		case bytes.HasPrefix(c.text[c.at:], []byte(`""`)):
			field = append(field, b)
			c.at++
		default:
			c.at++
			return string(field), nil
		}
	}
	return "", &csvFault{line, begun, "this quote is not closed", ""}
}

func lineStart(text []byte, at int) int { return bytes.LastIndexByte(text[:at], '\n') + 1 }

// lineAt is the line that holds a place.
func lineAt(text []byte, at int) []byte {
	line, _, _ := bytes.Cut(text[lineStart(text, at):], []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
