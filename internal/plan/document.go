package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"candor"

	"go.yaml.in/yaml/v3"
)

// Limits of a plan file. A plan with a hundred thousand items of a hundred bytes
// fits; what is larger belongs into a manifest that a task writes.
const (
	maxFile   = 16 << 20  // bytes
	maxValues = 2_000_000 // values after aliases are followed
	maxDepth  = 64        // values inside values
)

// document is a plan file as text and as YAML.
type document struct {
	file  string // as the caller named it
	lines []string
	root  *yaml.Node
}

// open reads and parses the file at path. The document is usable for placing
// problems even if there are errors.
func open(path string) (*document, Errors) {
	doc := &document{file: path}
	text, err := readLimited(path, maxFile, "a plan file")
	if err != nil {
		return doc, Errors{{File: path, Message: err.Error()}}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if line, column, what := unreadable(text); what != "" {
		doc.lines = splitLines(strings.ToValidUTF8(string(text), "�"))
		return doc, Errors{doc.problem(line, column, what, "a plan is text in UTF-8")}
	}
	doc.lines = splitLines(string(text))
	if e := doc.parse(text); e != nil {
		return doc, Errors{e}
	}
	return doc, nil
}

// readBeside reads a file that a plan names. Devices and pipes may never end.
func readBeside(path string, limit int64, what string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	return readLimited(path, limit, what)
}

// readLimited reads a file of at most so many bytes.
func readLimited(path string, limit int64, what string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return nil, errors.New("is a folder, not " + what)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("is larger than the %s %s may have", candor.Bytes(limit), what)
	}
	return text, nil
}

// cause is why a file could not be read, without its path.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// unreadable finds the first byte or character that YAML text cannot hold.
func unreadable(text []byte) (line, column int, what string) {
	line, column = 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, column, fmt.Sprintf("byte 0x%02x is not UTF-8", text[i])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return line, column, fmt.Sprintf("control character %U", r)
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		i += size
	}
	return 0, 0, ""
}

// splitLines splits where the YAML reader counts lines.
func splitLines(text string) []string {
	var lines []string
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for {
		i := strings.IndexFunc(text, isBreak)
		if i < 0 {
			return append(lines, text)
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		lines, text = append(lines, text[:i]), text[i+size:]
	}
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

func (doc *document) parse(text []byte) *Error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, second yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return doc.problem(1, 1, "there is nothing in the plan", "candor schema plan describes what may be; examples/library/plan.yaml is one")
	case err != nil:
		return doc.syntax(err)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return doc.problem(second.Line, second.Column, "a second document", "one file holds one plan: cut it at the ---")
	case !errors.Is(err, io.EOF):
		return doc.syntax(err)
	}
	doc.root = root.Content[0]
	budget := maxValues
	return doc.measure(doc.root, 0, &budget)
}

// measure refuses a document that is small as text and huge once its aliases
// are followed, or that contains itself.
func (doc *document) measure(n *yaml.Node, depth int, budget *int) *Error {
	*budget--
	if *budget < 0 {
		return doc.problem(n.Line, n.Column, fmt.Sprintf("more than %d values, aliases followed", maxValues), "")
	}
	if depth > maxDepth {
		return doc.problem(n.Line, n.Column, fmt.Sprintf("more than %d values inside each other, aliases followed", maxDepth), "")
	}
	if n.Kind == yaml.AliasNode {
		return doc.measure(n.Alias, depth+1, budget)
	}
	for _, child := range n.Content {
		if e := doc.measure(child, depth+1, budget); e != nil {
			return e
		}
	}
	return nil
}

// yamlPlace is how the YAML library says where it stopped: there is no field for it.
var yamlPlace = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// unclosed are the messages whose lines the library counts from zero.
var unclosed = regexp.MustCompile(`^did not find expected (key|node|'|<)`)

func (doc *document) syntax(err error) *Error {
	message := err.Error()
	place := yamlPlace.FindStringSubmatch(message)
	line := 1
	if place != nil {
		message = strings.TrimPrefix(message, place[0])
		if n, err := strconv.Atoi(place[1]); err == nil {
			line = n
		}
	}
	if unclosed.MatchString(message) {
		line++
	}
	for line = max(1, min(line, len(doc.lines))); line > 1 && strings.TrimSpace(doc.line(line)) == ""; {
		line--
	}
	for _, near := range []int{line, line + 1, line - 1} {
		if column := tabIndent(doc.line(near)); column > 0 {
			return doc.problem(near, column, "a tab indents this line", "YAML indents with spaces only")
		}
	}
	hint := ""
	for _, near := range []int{line, line + 1, line - 1} {
		if at := strings.Index(doc.line(near), ": {{"); at >= 0 {
			line, hint = near, `a value that begins with {{ stands in quotes: "{{ inputs.name }}"`
			break
		}
		if at := strings.Index(doc.line(near), ": *"); at >= 0 {
			line, hint = near, `a value that begins with * stands in quotes: "*.md"`
			break
		}
	}
	return doc.problem(line, firstColumn(doc.line(line)), "not YAML: "+message, hint)
}

// line is the source line of that number, or nothing.
func (doc *document) line(number int) string {
	if number < 1 || number > len(doc.lines) {
		return ""
	}
	return doc.lines[number-1]
}

func tabIndent(line string) int {
	for i, r := range line {
		if r == '\t' {
			return i + 1
		}
		if r != ' ' {
			break
		}
	}
	return 0
}

func firstColumn(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) + 1 }

// problem is a problem at a place of the file.
func (doc *document) problem(line, column int, message, hint string) *Error {
	return &Error{File: doc.file, Line: line, Column: column, Message: message, Hint: hint, Source: doc.line(line)}
}

// at is the place of a character within a scalar, if the source shows it as it
// is; else the place where the scalar begins. The offset is in bytes.
func (doc *document) at(n *yaml.Node, offset int) (line, column int) {
	line, before, shown := n.Line, n.Value[:offset], n.Value
	skip := n.Column - 1
	if n.Style&yaml.LiteralStyle != 0 {
		line, skip = line+1+strings.Count(before, "\n"), 0
		before = before[strings.LastIndexByte(before, '\n')+1:]
		shown, _, _ = strings.Cut(n.Value[offset-len(before):], "\n")
	}
	source := []rune(doc.line(line))
	if skip > len(source) || shown == "" {
		return n.Line, n.Column
	}
	rest := string(source[skip:])
	i := strings.Index(rest, shown)
	if i < 0 {
		return n.Line, n.Column
	}
	return line, skip + utf8.RuneCountInString(rest[:i]) + utf8.RuneCountInString(before) + 1
}
