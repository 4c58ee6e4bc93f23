package plan

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// place is a schema within a schema.
type place struct {
	path   []string
	object map[string]any
}

// circles finds the schemas that ask of a value what they ask of it already: the
// check of an answer would not end. Asking the same of a part of the value is no
// circle: parts come to an end.
type circles struct {
	root    map[string]any
	anchors map[string]map[string]any
	state   map[uintptr]int // by identity of an object
}

const (
	begun = iota + 1
	done
)

// circular gives the paths of the references that close a circle.
func circular(all []place) (found [][]string) {
	c := circles{anchors: map[string]map[string]any{}, state: map[uintptr]int{}}
	for _, p := range all {
		if len(p.path) == 0 {
			c.root = p.object
		}
		for _, key := range []string{"$anchor", "$dynamicAnchor"} {
			if name, ok := p.object[key].(string); ok {
				c.anchors[name] = p.object
			}
		}
	}
	for _, p := range all {
		if c.closes(p.object) {
			found = append(found, p.path)
		}
	}
	return found
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
		for _, name := range slices.Sorted(maps.Keys(named)) {
			add(named[name])
		}
	}
	for _, key := range []string{"$ref", "$dynamicRef"} {
		if to, ok := schema[key].(string); ok {
			add(c.target(to))
		}
	}
	return all
}

// target is what a reference within the schema leads to.
func (c *circles) target(to string) any {
	pointer, err := url.PathUnescape(strings.TrimPrefix(to, "#"))
	if err != nil {
		return nil // the library refuses it
	}
	if !strings.HasPrefix(pointer, "/") {
		if pointer == "" {
			return c.root
		}
		if anchored := c.anchors[pointer]; anchored != nil {
			return anchored
		}
		return nil
	}
	var value any = c.root
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for name := range strings.SplitSeq(pointer[1:], "/") {
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
