package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaProblem is one thing wrong with a schema.
type schemaProblem struct {
	path []string // to where it is
	text string
	hint string
}

// schemaWalk looks at a schema keyword by keyword. The library that checks answers
// later would refuse some of it too, but does not say where.
type schemaWalk struct {
	errors, warnings []schemaProblem
	seen             []place
}

// schemaProblems says what is wrong with a schema, and what is probably not meant.
func schemaProblems(raw json.RawMessage) (errors, warnings []schemaProblem) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return []schemaProblem{{text: err.Error()}}, nil
	}
	var w schemaWalk
	if _, isObject := value.(map[string]any); !isObject {
		w.wrong(nil, "like {type: object, properties: {title: {type: string}}}", "an object is wanted, not %s", jsonKind(value))
		return w.errors, nil
	}
	w.schema(nil, value)
	for _, path := range circular(w.seen) {
		w.wrong(path, "refer to it from properties or items, whose values come to an end", "it refers to itself for the same value, without end")
	}
	if len(w.errors) > 0 {
		return w.errors, w.warnings
	}
	var s jsonschema.Schema
	err := json.Unmarshal(raw, &s)
	if err == nil {
		_, err = s.Resolve(nil)
	}
	if err != nil {
		// Several are joined in no particular order.
		all := strings.Split(err.Error(), "\n")
		slices.Sort(all)
		w.wrong(nil, "", "%s", all[0])
	}
	return w.errors, w.warnings
}

func (w *schemaWalk) wrong(path []string, hint, format string, args ...any) {
	w.errors = append(w.errors, schemaProblem{slices.Clone(path), fmt.Sprintf(format, args...), hint})
}

func (w *schemaWalk) schema(path []string, value any) {
	if _, isBool := value.(bool); isBool {
		return
	}
	object, ok := value.(map[string]any)
	switch {
	case !ok:
		w.wrong(path, "a schema is an object, like {type: string}", "a schema is wanted, not %s", jsonKind(value))
		return
	case len(path) > 2*maxDepth:
		w.wrong(path, "", "more than %d schemas inside each other", maxDepth)
		return
	}
	w.seen = append(w.seen, place{path, object})
	if _, named := object["$id"]; named && len(path) > 0 {
		w.wrong(path, "refer to it as #/$defs/name", "only the whole schema may have an $id")
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		w.keyword(append(slices.Clone(path), key), key, object[key])
	}
	w.required(path, object)
}

// keyword checks one keyword's value.
func (w *schemaWalk) keyword(path []string, key string, value any) {
	switch kind := keywords()[key]; kind {
	case "schema", "schemas", "named":
		w.inner(path, kind, value)
	case "type":
		w.types(path, value)
	case "count":
		if n, ok := value.(float64); !ok || n < 0 || n != math.Trunc(n) {
			w.wrong(path, "", "a whole number is wanted, not %s", jsonKind(value))
		}
	case "pattern":
		text, ok := value.(string)
		if _, err := regexp.Compile(text); !ok || err != nil {
			w.wrong(path, "patterns are those of RE2: no look-ahead, no back-references", "%s is not a pattern", jsonKind(value))
		}
	case "reference":
		if to, ok := value.(string); !ok || !strings.HasPrefix(to, "#") {
			w.wrong(path, "like #/$defs/name: candor fetches nothing", "a place within the schema is wanted, not %s", jsonKind(value))
		}
	case "list", "number", "text", "truth value":
		if !kindFits(kind, value) {
			w.wrong(path, "", "a %s is wanted, not %s", kind, jsonKind(value))
		}
	case "":
		if !strings.HasPrefix(key, "$") && !strings.HasPrefix(key, "x-") {
			hint := ""
			if meant := nearest(key, slices.Sorted(maps.Keys(keywords()))); meant != "" {
				hint = fmt.Sprintf("did you mean %q?", meant)
			}
			w.warnings = append(w.warnings, schemaProblem{path, fmt.Sprintf("%q is no keyword of JSON Schema, so it asks for nothing", clip(key)), hint})
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
func (w *schemaWalk) inner(path []string, kind string, value any) {
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
		w.wrong(path, "", "a list of schemas is wanted, not %s", jsonKind(value))
	case isObject:
		for _, name := range slices.Sorted(maps.Keys(object)) {
			w.schema(append(slices.Clone(path), name), object[name])
		}
	default:
		w.wrong(path, "like {title: {type: string}}", "schemas by name are wanted, not %s", jsonKind(value))
	}
}

// types checks the names of types.
func (w *schemaWalk) types(path []string, value any) {
	known := []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, one := range list {
		name, isText := one.(string)
		switch {
		case !isText:
			w.wrong(path, "the types: "+strings.Join(known, ", "), "the name of a type is wanted, not %s", jsonKind(one))
		case !slices.Contains(known, name):
			hint := didYouMean(name, known, "the types")
			if better := otherType(name); better != "" {
				hint = fmt.Sprintf("did you mean %q?", better)
			}
			w.wrong(path, hint, "%q is not a type", clip(name))
		}
	}
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
func (w *schemaWalk) required(path []string, object map[string]any) {
	names, _ := object["required"].([]any)
	properties, described := object["properties"].(map[string]any)
	for _, one := range names {
		name, isText := one.(string)
		if !isText {
			w.wrong(append(slices.Clone(path), "required"), "", "names are wanted, not %s", jsonKind(one))
		} else if _, there := properties[name]; described && !there {
			w.warnings = append(w.warnings, schemaProblem{
				append(slices.Clone(path), "required"), fmt.Sprintf("%q is required and not among the properties", clip(name)),
				didYouMean(name, slices.Sorted(maps.Keys(properties)), "there are"),
			})
		}
	}
}

func jsonKind(value any) string {
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
		return "the number " + string(encoded(v))
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
		"text":        "title description format contentEncoding contentMediaType $id $schema $comment $anchor $dynamicAnchor",
		"truth value": "uniqueItems deprecated readOnly writeOnly",
		"list":        "enum required examples",
		"reference":   "$ref $dynamicRef",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}

// compact is JSON without the blanks between its tokens.
func compact(text []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text // told elsewhere
	}
	return b.Bytes()
}
