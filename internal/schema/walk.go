package schema

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"candor"
)

// maxDepth is how many keys and positions may lead to a schema.
const maxDepth = 64

// walk looks at a schema keyword by keyword.
type walk struct {
	errors, warnings []Problem
	seen             []place
}

func (w *walk) schema(path []string, value any) {
	if _, isBool := value.(bool); isBool {
		return
	}
	object, ok := value.(map[string]any)
	switch {
	case !ok:
		w.wrong(path, "a schema is an object, like {type: string}", "a schema is wanted, not %s", kindOf(value))
		return
	case len(path) > maxDepth:
		w.wrong(path, "", "more than %d schemas inside each other", maxDepth)
		return
	}
	w.seen = append(w.seen, place{path, object})
	for _, key := range slices.Sorted(maps.Keys(object)) {
		w.keyword(append(slices.Clone(path), key), key, object[key])
	}
	w.required(path, object)
}

// keyword checks one keyword's value.
func (w *walk) keyword(path []string, key string, value any) {
	switch kind := keywords()[key]; kind {
	case "schema", "schemas", "named":
		w.inner(path, kind, value)
	case "type":
		w.types(path, value)
	case "count":
		if n, ok := value.(float64); !ok || n < 0 || n != math.Trunc(n) {
			w.wrong(path, "", "a whole number is wanted, not %s", kindOf(value))
		}
	case "pattern":
		text, ok := value.(string)
		if _, err := regexp.Compile(text); !ok || err != nil {
			w.wrong(path, "patterns are those of RE2: no look-ahead, no back-references", "%s is not a pattern", kindOf(value))
		}
	case "reference":
		if to, ok := value.(string); !ok || !local(to) {
			w.wrong(path, "like #/$defs/name: nothing is fetched", "a place within the schema is wanted, not %s", kindOf(value))
		}
	case "unfollowed":
		if key != "$id" || len(path) > 1 {
			w.wrong(path, "refer to a schema as #/$defs/name", "%s is not followed", key)
		}
	case "list", "number", "text", "truth value":
		if !kindFits(kind, value) {
			w.wrong(path, "", "a %s is wanted, not %s", kind, kindOf(value))
		}
	case "":
		if !strings.HasPrefix(key, "$") && !strings.HasPrefix(key, "x-") {
			w.warn(path, didYouMean(key, slices.Sorted(maps.Keys(keywords()))), "%q is no keyword of JSON Schema, so it asks for nothing", clip(key))
		}
	}
}

func kindFits(kind string, value any) (fits bool) {
	switch kind {
	case "list":
		_, fits = value.([]any)
	case "number":
		_, fits = value.(float64)
	case "text":
		_, fits = value.(string)
	case "truth value":
		_, fits = value.(bool)
	}
	return fits
}

// inner checks the schemas in a keyword.
func (w *walk) inner(path []string, kind string, value any) {
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	switch {
	case kind == "schema":
		w.schema(path, value)
	case kind == "schemas" && isList && len(list) > 0:
		for i, s := range list {
			w.schema(append(slices.Clone(path), strconv.Itoa(i)), s)
		}
	case kind == "schemas":
		w.wrong(path, "", "a list of schemas is wanted, not %s", kindOf(value))
	case isObject:
		for _, name := range slices.Sorted(maps.Keys(object)) {
			w.schema(append(slices.Clone(path), name), object[name])
		}
	default:
		w.wrong(path, "like {title: {type: string}}", "schemas by name are wanted, not %s", kindOf(value))
	}
}

// types checks the names of types.
func (w *walk) types(path []string, value any) {
	known := []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, one := range list {
		name, isText := one.(string)
		switch {
		case !isText:
			w.wrong(path, "the types: "+strings.Join(known, ", "), "the name of a type is wanted, not %s", kindOf(one))
		case !slices.Contains(known, name):
			hint := didYouMean(cmp.Or(otherType(name), name), known)
			w.wrong(path, cmp.Or(hint, "the types: "+strings.Join(known, ", ")), "%q is not a type", clip(name))
		}
	}
}

// didYouMean is a hint that names the nearest candidate, if there is one.
func didYouMean(written string, candidates []string) string {
	if near := candor.Nearest(written, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// otherType is JSON's word for what other languages call a type.
func otherType(name string) string {
	switch strings.ToLower(name) {
	case "str", "text":
		return "string"
	case "int":
		return "integer"
	case "float", "double", "decimal":
		return "number"
	case "bool":
		return "boolean"
	case "list", "tuple":
		return "array"
	case "dict", "map", "struct":
		return "object"
	}
	return ""
}

// required warns of names that are asked for and not described.
func (w *walk) required(path []string, object map[string]any) {
	names, _ := object["required"].([]any)
	properties, described := object["properties"].(map[string]any)
	for _, one := range names {
		name, isText := one.(string)
		if !isText {
			w.wrong(append(slices.Clone(path), "required"), "", "names are wanted, not %s", kindOf(one))
		} else if _, there := properties[name]; described && !there {
			w.warn(append(slices.Clone(path), "required"), didYouMean(name, slices.Sorted(maps.Keys(properties))), "%q is required and not among the properties", clip(name))
		}
	}
}

func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("the text %q", clip(v))
	case bool:
		return fmt.Sprintf("the truth value %t", v)
	default:
		return fmt.Sprintf("the number %v", v)
	}
}

// keywords is what each keyword of JSON Schema (draft 2020-12 and 7) wants.
func keywords() map[string]string {
	all := map[string]string{"type": "type", "pattern": "pattern", "const": "any", "default": "any", "items": "schema", "dependencies": "any", "dependentRequired": "any"}
	for kind, names := range map[string]string{
		"schema":      "additionalProperties additionalItems not if then else contains propertyNames unevaluatedItems unevaluatedProperties contentSchema",
		"schemas":     "allOf anyOf oneOf prefixItems",
		"named":       "properties patternProperties $defs definitions dependentSchemas",
		"count":       "minLength maxLength minItems maxItems minContains maxContains minProperties maxProperties",
		"number":      "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
		"text":        "title description format contentEncoding contentMediaType $schema $comment",
		"truth value": "uniqueItems deprecated readOnly writeOnly",
		"list":        "enum required examples",
		"unfollowed":  "$id $anchor $dynamicAnchor $dynamicRef $recursiveRef $recursiveAnchor",
		"reference":   "$ref",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}
