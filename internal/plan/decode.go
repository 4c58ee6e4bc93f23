package plan

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProblems ends the reading of a plan that is wrong all over: nobody reads on,
// and each problem costs a look for what was meant.
const maxProblems = 100

// reader gathers what is wrong while it walks a document.
type reader struct {
	doc      *document
	errors   Errors
	warnings Errors
}

// wrong reports a problem at a node.
func (r *reader) wrong(n *yaml.Node, hint, format string, args ...any) {
	r.errors = append(r.errors, r.doc.problem(n.Line, n.Column, fmt.Sprintf(format, args...), hint))
}

// wrongAt reports a problem at a character within a scalar.
func (r *reader) wrongAt(n *yaml.Node, offset int, hint, format string, args ...any) {
	line, column := r.doc.at(n, offset)
	r.errors = append(r.errors, r.doc.problem(line, column, fmt.Sprintf(format, args...), hint))
}

func (r *reader) warn(n *yaml.Node, hint, format string, args ...any) {
	r.warnings = append(r.warnings, r.doc.problem(n.Line, n.Column, fmt.Sprintf(format, args...), hint))
}

// warnAt warns of a character within a scalar.
func (r *reader) warnAt(n *yaml.Node, offset int, hint, format string, args ...any) {
	line, column := r.doc.at(n, offset)
	r.warnings = append(r.warnings, r.doc.problem(line, column, fmt.Sprintf(format, args...), hint))
}

// sorted is everything found, in the order of the plan, then of other files, each
// thing once, up to maxProblems.
func (r *reader) sorted(all Errors) Errors {
	rank := func(e *Error) string {
		if e.File == r.doc.file {
			return ""
		}
		return e.File
	}
	slices.SortStableFunc(all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all = slices.CompactFunc(all, func(a, b *Error) bool { return *a == *b })
	if more := len(all) - maxProblems; more > 0 {
		all = append(all[:maxProblems:maxProblems], &Error{File: all[0].File, Message: fmt.Sprintf("and %d more problems", more)})
	}
	return all
}

// fromNode is a type of the format that reads itself. Others are structs.
type fromNode interface {
	read(r *reader, n *yaml.Node)
}

// into reads a node into a value of the format.
func (r *reader) into(n *yaml.Node, v reflect.Value) {
	if len(r.errors) >= maxProblems {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if self, ok := v.Addr().Interface().(fromNode); ok {
		self.read(r, n)
		return
	}
	r.object(n, v)
}

// object reads a mapping into a struct whose json tags are its keys.
func (r *reader) object(n *yaml.Node, v reflect.Value) {
	pairs, ok := r.mapping(n)
	if !ok {
		return
	}
	fields, keys := map[string]int{}, []string(nil)
	missing := map[string]bool{}
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name], keys = i, append(keys, name)
		missing[name] = options == ""
	}
	for _, p := range pairs {
		if len(r.errors) >= maxProblems {
			return
		}
		i, known := fields[p.key.Value]
		if !known {
			hint := didYouMean(p.key.Value, keys, "here may be")
			if m, ok := v.Addr().Interface().(interface{ misplaced(key string) string }); ok {
				hint = cmp.Or(m.misplaced(p.key.Value), hint)
			}
			r.wrong(p.key, hint, "unknown key %q", clip(p.key.Value))
			continue
		}
		missing[p.key.Value] = false
		r.into(p.value, v.Field(i))
	}
	for _, name := range keys {
		if missing[name] {
			r.wrong(n, "", "%s is missing", name)
		}
	}
}

// mapping gives the entries of a mapping, merge keys (<<) followed, and reports
// keys that are no names or stand there twice.
func (r *reader) mapping(n *yaml.Node) ([]pair[*yaml.Node], bool) {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "", "a mapping is wanted here, name: value, not %s", kindOf(n))
		return nil, false
	}
	var pairs []pair[*yaml.Node]
	seen := map[string]*yaml.Node{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind == yaml.AliasNode || key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			r.wrong(key, quoteHint(n), "a key is a name, not %s", kindOf(key))
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		case seen[key.Value] != nil:
			r.wrong(key, "", "%q stands here twice; first in line %d", clip(key.Value), seen[key.Value].Line)
		default:
			seen[key.Value] = key
			pairs = append(pairs, pair[*yaml.Node]{key: key, value: value})
		}
	}
	for _, value := range merged {
		pairs = r.merge(value, pairs, seen)
	}
	return pairs, true
}

// merge adds the entries of what a merge key names, where there is no such key yet.
func (r *reader) merge(value *yaml.Node, pairs []pair[*yaml.Node], seen map[string]*yaml.Node) []pair[*yaml.Node] {
	sources := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		sources = value.Content
	}
	for _, source := range sources {
		if source.Kind == yaml.AliasNode {
			source = source.Alias
		}
		more, ok := r.mapping(source)
		if !ok {
			continue
		}
		for _, p := range more {
			if seen[p.key.Value] == nil {
				seen[p.key.Value] = p.key
				pairs = append(pairs, p)
			}
		}
	}
	return pairs
}

// kindOf names what a node is, for people.
func kindOf(n *yaml.Node) string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + clip(n.Value)
	case "!!bool":
		return "the truth value " + clip(n.Value)
	default:
		return "the text " + fmt.Sprintf("%q", clip(n.Value))
	}
}

// quoteHint sees through the commonest slip: {{ inputs.x }} without quotes is a
// mapping with a mapping for a key.
func quoteHint(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
		return `a value that begins with {{ stands in quotes: "{{ inputs.name }}"`
	}
	return ""
}

// clip keeps untrusted text in messages short.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
