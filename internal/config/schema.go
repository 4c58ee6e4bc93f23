package config

import (
	"reflect"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"candor"
)

// SchemaFile is the name under which the example file expects the schema beside it.
const SchemaFile = "candor-config.schema.json"

// Schema is the JSON Schema of configuration files.
func Schema() *jsonschema.Schema {
	s := root().schema()
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "candor configuration"
	return s
}

func (s section) schema() *jsonschema.Schema {
	out := &jsonschema.Schema{
		Type: "object", Description: s.doc,
		Properties: map[string]*jsonschema.Schema{},
		// The schema that nothing matches: unknown keys are errors.
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, k := range s.keys {
		out.Properties[leaf(k.Name)] = k.schema()
		out.PropertyOrder = append(out.PropertyOrder, leaf(k.Name))
	}
	for _, sub := range s.sections {
		out.Properties[leaf(sub.name)] = sub.schema()
		out.PropertyOrder = append(out.PropertyOrder, leaf(sub.name))
	}
	return out
}

func (k Key) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{Description: k.Doc}
	if k.Default != "" {
		s.Default = k.defaultJSON()
	}
	switch k.Type {
	case reflect.TypeFor[candor.Duration]():
		s.Type, s.Pattern = "string", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	case reflect.TypeFor[candor.Bytes]():
		s.Types, s.Pattern = []string{"string", "integer"}, `^[0-9]+(\.[0-9]+)? ?([kKmMgGtT]?[iI]?[bB])?$`
	case reflect.TypeFor[int]():
		s.Type = "integer"
		if least, err := strconv.ParseFloat(k.min, 64); err == nil {
			s.Minimum = &least
		}
	case reflect.TypeFor[bool]():
		s.Type = "boolean"
	case reflect.TypeFor[[]string](), reflect.TypeFor[[]candor.Class]():
		s.Type, s.Items = "array", &jsonschema.Schema{Type: "string", Enum: anySlice(k.Enum)}
	default:
		s.Type, s.Enum = "string", anySlice(k.Enum)
	}
	return s
}

func (k Key) defaultJSON() []byte {
	switch k.Type.Kind() {
	case reflect.Int, reflect.Bool:
		return []byte(k.Default)
	default:
		return strconv.AppendQuote(nil, k.Default)
	}
}

func anySlice(words []string) []any {
	var out []any
	for _, w := range words {
		out = append(out, w)
	}
	return out
}
