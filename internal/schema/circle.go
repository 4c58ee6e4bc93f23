package schema

import (
	"reflect"
	"strconv"
	"strings"
)

// place is a schema within a schema.
type place struct {
	path   []string
	object map[string]any
}

// follow finds references that lead nowhere, and schemas that ask of a value what
// they ask of it already: the check of an answer would not end. Asking the same
// of a part of the value is no circle, since parts come to an end.
func (w *walk) follow(root map[string]any) {
	c := circles{root: root, state: map[uintptr]state{}}
	for _, p := range w.seen {
		to, refers := p.object["$ref"].(string)
		switch target := c.target(to); target.(type) {
		case map[string]any, bool:
		default:
			if refers && local(to) {
				w.wrong(append(p.path[:len(p.path):len(p.path)], "$ref"), "", "there is no schema at %s", clip(to))
			}
		}
		if c.closes(p.object) {
			w.wrong(p.path, "refer to it from properties or items, whose values come to an end", "it refers to itself for the same value, without end")
		}
	}
}

type state int

const (
	begun state = iota + 1
	done
)

type circles struct {
	root  map[string]any
	state map[uintptr]state // by identity of an object
}

// closes visits a schema and those that it applies to the same value.
func (c *circles) closes(schema map[string]any) bool {
	id := reflect.ValueOf(schema).Pointer()
	switch c.state[id] {
	case begun:
		return true
	case done:
		return false
	}
	c.state[id] = begun
	closed := false
	for _, next := range c.sameValue(schema) {
		closed = c.closes(next) || closed
	}
	c.state[id] = done
	return closed
}

// sameValue are the schemas that a schema applies to its own value.
func (c *circles) sameValue(schema map[string]any) []map[string]any {
	var all []map[string]any
	add := func(value any) {
		if object, ok := value.(map[string]any); ok {
			all = append(all, object)
		}
	}
	for _, key := range []string{"not", "if", "then", "else"} {
		add(schema[key])
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[key].([]any)
		for _, one := range list {
			add(one)
		}
	}
	for _, key := range []string{"dependentSchemas", "dependencies"} {
		named, _ := schema[key].(map[string]any)
		for _, one := range named { // whether a circle closes does not depend on the order
			add(one)
		}
	}
	if to, ok := schema["$ref"].(string); ok {
		add(c.target(to))
	}
	return all
}

// local tells whether a reference is one that is followed: a JSON pointer within
// the schema.
func local(to string) bool {
	return (to == "#" || strings.HasPrefix(to, "#/")) && !strings.Contains(to, "%")
}

// target is what a reference leads to; nil: nothing.
func (c *circles) target(to string) any {
	if !local(to) {
		return nil
	}
	var value any = c.root
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for name := range strings.SplitSeq(to, "/") {
		if name == "#" {
			continue
		}
		switch v := value.(type) {
		case map[string]any:
			value = v[unescape.Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}
