package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"candor"
	"candor/internal/schema"

	"go.yaml.in/yaml/v3"
)

// answerSchema is the JSON Schema of an answer, from the plan or from a file.
func (c *compiler) answerSchema(a answer) json.RawMessage {
	if !a.good {
		return nil
	}
	if a.node.Kind != yaml.MappingNode {
		return c.schemaFile(a)
	}
	raw, ok := c.jsonWith(a.node, &c.vars)
	if !ok {
		return nil
	}
	c.checkSchema(raw, "the schema", func(path []string) *yaml.Node { return nodeAt(a.node, path) })
	return raw
}

// schemaFile reads a schema from the file that the plan names.
func (c *compiler) schemaFile(a answer) json.RawMessage {
	written, ok := c.filled(a.leaf)
	if !ok {
		return nil
	}
	full, shown := c.locate(written)
	text, err := readBeside(full, candor.MaxSchema, "a schema")
	switch {
	case err != nil:
		c.wrong(a.node, missingHint(err), "schema %q %s", shown, err)
		return nil
	case !utf8.Valid(text):
		c.wrong(a.node, "", "schema %q is not UTF-8", shown)
		return nil
	}
	if !json.Valid(text) {
		c.errors = append(c.errors, notJSON(shown, string(text), 1, ""))
		return nil
	}
	c.checkSchema(text, fmt.Sprintf("schema %q", shown), func([]string) *yaml.Node { return a.node })
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return nil // it was valid just now
	}
	return b.Bytes()
}

// checkSchema reports what is wrong with a schema; place says where a path into
// it stands in the plan.
func (c *compiler) checkSchema(raw json.RawMessage, what string, place func(path []string) *yaml.Node) {
	at := func(path []string) string {
		if len(path) == 0 {
			return what
		}
		return what + ", at " + clip(strings.Join(path, "."))
	}
	errors, warnings := schema.Problems(raw)
	for _, p := range errors {
		c.wrong(place(p.Path), p.Hint, "%s: %s", at(p.Path), p.Text)
	}
	for _, p := range warnings {
		c.warn(place(p.Path), p.Hint, "%s: %s", at(p.Path), p.Text)
	}
}

// nodeAt follows a path as far as it leads. Merge keys are not followed.
func nodeAt(n *yaml.Node, path []string) *yaml.Node {
	for _, name := range path {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next := child(n, name)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// child is the value of a mapping's key or of a list's number; nil: there is none.
func child(n *yaml.Node, name string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}

// locate gives a path of the plan as it is, and as the caller would write it.
func (c *compiler) locate(written string) (full, shown string) {
	if filepath.IsAbs(written) {
		return written, written
	}
	slashed := filepath.FromSlash(written)
	return filepath.Join(c.dirs.plan, slashed), filepath.Join(filepath.Dir(c.doc.file), slashed)
}
