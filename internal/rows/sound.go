package rows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// sound refuses schemas on which judging an answer would never end: the library
// follows a schema that refers to itself, on the same value, until the stack is
// full, which no program survives. References are followed as servers' grammars
// do: by JSON pointers within the document.
func sound(raw json.RawMessage) error {
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		return err
	}
	return (&soundness{root: root, seen: map[string]mark{}}).all(root, "")
}

// mark is where the walk stands with one schema.
type mark int

const (
	under mark = iota + 1
	cleared
)

type soundness struct {
	root any
	seen map[string]mark // by JSON pointer
}

// all looks at each place where a schema may stand; what is taken for one and
// is none does no harm.
func (s *soundness) all(node any, at string) error {
	switch v := node.(type) {
	case map[string]any:
		if err := s.follow(v, at); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch key {
			case "const", "enum", "default", "examples":
				continue // values, not schemas
			}
			if err := s.all(v[key], at+"/"+escape(key)); err != nil {
				return err
			}
		}
	case []any:
		for i, each := range v {
			if err := s.all(each, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow goes to the schemas that judge the same value as this one.
func (s *soundness) follow(schema map[string]any, at string) error {
	switch s.seen[at] {
	case under:
		return fmt.Errorf("schema %s refers to itself without end", or(at, "#"))
	case cleared:
		return nil
	}
	s.seen[at] = under
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		if err := s.keyword(key, schema[key], at); err != nil {
			return err
		}
	}
	s.seen[at] = cleared
	return nil
}

func (s *soundness) keyword(key string, value any, at string) error {
	next := func(v any, at string) error {
		if schema, ok := v.(map[string]any); ok {
			return s.follow(schema, at)
		}
		return nil
	}
	at += "/" + escape(key)
	switch key {
	case "$ref":
		if ref, ok := value.(string); ok {
			return s.reference(ref)
		}
	case "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor":
		if _, ok := value.(string); ok && (key != "$id" || at != "/$id") {
			return fmt.Errorf("schema %s: %s is not followed here: refer to #/$defs/NAME", at, key)
		}
	case "not", "if", "then", "else":
		return next(value, at)
	case "allOf", "anyOf", "oneOf":
		list, _ := value.([]any)
		for i, each := range list {
			if err := next(each, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	case "dependentSchemas", "dependencies":
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if err := next(object[name], at+"/"+escape(name)); err != nil {
				return err
			}
		}
	case "type":
		return knownTypes(value, at)
	}
	return nil
}

// reference goes where a $ref points.
func (s *soundness) reference(ref string) error {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok || pointer != "" && pointer[0] != '/' || strings.Contains(pointer, "%") {
		return fmt.Errorf("$ref %s is not followed here: refer to #/$defs/NAME", clip(ref, 200))
	}
	node := s.root
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		switch v := node.(type) {
		case map[string]any:
			node = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != key {
				return fmt.Errorf("$ref %s points at nothing", clip(ref, 200))
			}
			node = v[i]
		default:
			node = nil
		}
	}
	switch v := node.(type) {
	case map[string]any:
		return s.follow(v, pointer)
	case bool:
		return nil
	}
	return fmt.Errorf("$ref %s points at no schema", clip(ref, 200))
}

// knownTypes refuses types that no answer could have. A type that is no word is
// the library's to refuse, or the name of a property.
func knownTypes(value any, at string) error {
	names, _ := value.([]any)
	if name, ok := value.(string); ok {
		names = []any{name}
	}
	known := []string{"array", "boolean", "integer", "null", "number", "object", "string"}
	for _, name := range names {
		if text, ok := name.(string); ok && !slices.Contains(known, text) {
			return fmt.Errorf("schema %s: %q is no type: %s", at, clip(text, 40), strings.Join(known, ", "))
		}
	}
	return nil
}

func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
