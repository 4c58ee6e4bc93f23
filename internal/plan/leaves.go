package plan

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalar takes a node if it is a scalar of one of the tags.
func (l *leaf) scalar(r *reader, n *yaml.Node, wanted, hint string, tags ...string) {
	l.node = n
	if n.Kind == yaml.ScalarNode {
		for _, tag := range tags {
			if n.ShortTag() == tag {
				l.good = true
				return
			}
		}
	}
	if q := quoteHint(n); q != "" {
		hint = q
	}
	r.wrong(n, hint, "%s is wanted here, not %s", wanted, kindOf(n))
}

// textual takes a string. A date is one too: JSON knows no other.
func (l *leaf) textual(r *reader, n *yaml.Node) {
	hint := ""
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		hint = `put it in quotes: "` + clip(n.Value) + `"`
	}
	l.scalar(r, n, "a text", hint, "!!str", "!!timestamp")
}

func (v *text) read(r *reader, n *yaml.Node)   { v.textual(r, n) }
func (v *plain) read(r *reader, n *yaml.Node)  { v.textual(r, n) }
func (v *script) read(r *reader, n *yaml.Node) { v.textual(r, n) }
func (v *letter) read(r *reader, n *yaml.Node) { v.textual(r, n) }

func (v *word) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "a text or number", `for an empty value write ""`, "!!str", "!!timestamp", "!!int", "!!float", "!!bool")
}

func (v *boolean) read(r *reader, n *yaml.Node) { v.scalar(r, n, "true or false", "", "!!bool") }

func (v *whole) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "a whole number", "", "!!int", "!!float", "!!str")
}

func (v *number) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "a number", "", "!!int", "!!float", "!!str")
}

func (v *duration) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "a duration", "write it with a unit, like 90s, 10m or 1h30m", "!!str", "!!int", "!!float")
}

func (v *amount) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "an amount of memory", "write it like 6GiB, 500MB or a plain number of bytes", "!!str", "!!int")
}

func (v *anything) read(_ *reader, n *yaml.Node) { v.leaf = leaf{n, true} }

func (v *items) read(r *reader, n *yaml.Node) {
	v.leaf = leaf{n, n.Kind == yaml.SequenceNode}
	if v.good {
		return
	}
	v.scalar(r, n, "a list", `like [a, b, c], or a list input: "{{ inputs.name }}"`, "!!str")
}

func (v *answer) read(r *reader, n *yaml.Node) {
	v.leaf = leaf{n, n.Kind == yaml.MappingNode}
	if !v.good {
		v.scalar(r, n, "a JSON Schema, or the path of one,", "like {type: object, properties: {title: {type: string}}}", "!!str")
	}
}

func (v *condition) read(r *reader, n *yaml.Node) {
	v.scalar(r, n, "an input", `like when: "{{ inputs.name }}"`, "!!str")
}

func (v *options) read(r *reader, n *yaml.Node) {
	v.leaf = leaf{n, n.Kind == yaml.MappingNode}
	r.object(n, reflect.ValueOf(&v.object).Elem())
}

func (v *need) read(r *reader, n *yaml.Node) {
	v.node = n
	if n.Kind == yaml.MappingNode {
		r.object(n, reflect.ValueOf(&v.object).Elem())
		v.good = v.object.Task.good
		if v.good {
			v.name = v.object.Task.node.Value
		}
		return
	}
	v.scalar(r, n, "the name of a task, or {task: name, allow_failed: true}", "", "!!str", "!!int", "!!bool", "!!timestamp")
	v.name = n.Value
}

func (v *foreach) read(r *reader, n *yaml.Node) {
	v.node = n
	if n.Kind != yaml.MappingNode {
		v.scalar(r, n, "what to fan out over", "one of {glob: \"*.md\"}, {items: [1, 2, 3]}, {file: rows.jsonl}, {from: task.output}, or the name of a task whose items are shared", "!!str")
		v.task = n.Value
		return
	}
	before := len(r.errors)
	o := &v.object
	r.object(n, reflect.ValueOf(o).Elem())
	kinds := 0
	for _, l := range []leaf{o.Glob.leaf, o.Items.leaf, o.File.leaf, o.From.leaf} {
		if l.given() {
			kinds++
		}
	}
	switch {
	case len(r.errors) > before:
	case kinds != 1:
		r.wrong(n, "", "a fan-out says one of glob, items, file and from; this one says %d of them", kinds)
	case o.Path.given() && !o.From.given():
		r.wrong(o.Path.node, "", "path goes with from: it says where in the written file the list is")
	default:
		v.good = true
	}
}

func (v *named[T]) read(r *reader, n *yaml.Node) {
	v.node = n
	pairs, ok := r.mapping(n)
	v.good = ok
	for _, p := range pairs {
		entry, before := pair[T]{key: p.key}, len(r.errors)
		r.into(p.value, reflect.ValueOf(&entry.value).Elem())
		entry.broken = len(r.errors) > before
		v.pairs = append(v.pairs, entry)
	}
}

func (v *list[T]) read(r *reader, n *yaml.Node) {
	v.node, v.good = n, n.Kind == yaml.SequenceNode
	if !v.good {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			hint = "write [" + strings.Join(strings.Fields(clip(n.Value)), ", ") + "]"
		}
		r.wrong(n, hint, "a list is wanted here, not %s", kindOf(n))
		return
	}
	for _, child := range n.Content {
		var value T
		r.into(child, reflect.ValueOf(&value).Elem())
		v.values = append(v.values, value)
	}
}
