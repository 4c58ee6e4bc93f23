package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"candor"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaID names the format. It is a name, not an address to fetch.
const schemaID = "urn:candor:plan:1"

// Schema is the JSON Schema (draft 2020-12) of plan files, indented, with a
// final newline. It is the same bytes every time.
func Schema() []byte {
	compact, err := json.Marshal(format())
	if err != nil {
		panic(fmt.Sprintf("plan: encode the schema: %v", err))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		panic(fmt.Sprintf("plan: indent the schema: %v", err))
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// namePattern is candor.ValidName for editors.
const namePattern = "^[a-z0-9][a-z0-9_-]{0,63}$"

// format is generated from the types of the format. Built from the leaves
// upwards, since each type's schema must be known before it is used.
func format() *jsonschema.Schema {
	types := leafSchemas()
	add := func(t any, s *jsonschema.Schema) { types[reflect.TypeOf(t)] = s }

	add(named[text]{}, mapping(types[reflect.TypeFor[text]()], namePattern))
	add(named[word]{}, mapping(types[reflect.TypeFor[word]()], "^[A-Za-z_][A-Za-z0-9_]*$"))
	add(list[text]{}, array(types[reflect.TypeFor[text]()]))
	add(need{}, either(types[reflect.TypeFor[plain]()], object[needObject](types)))
	add(list[need]{}, array(types[reflect.TypeFor[need]()]))

	fan := object[foreachObject](types)
	fan.OneOf = []*jsonschema.Schema{{Required: []string{"glob"}}, {Required: []string{"items"}}, {Required: []string{"file"}}, {Required: []string{"from"}}}
	share := &jsonschema.Schema{Type: "string", Pattern: namePattern, Description: "A task that is needed and whose items are shared: item by item behind it."}
	add(foreach{}, either(share, fan))

	in := object[input](types)
	in.Properties["type"].Enum = enum(InputTypes())
	add(named[input]{}, mapping(in, namePattern))

	said := object[message](types)
	said.Properties["role"].Enum = enum(candor.Roles())
	turns := array(said)
	turns.MinItems = jsonschema.Ptr(1)
	add(messages{}, turns)
	add(options{}, object[optionsObject](types))

	one := object[task](types)
	one.Properties["class"].Enum = enum(candor.Classes())
	for _, w := range (&task{}).ways() {
		one.OneOf = append(one.OneOf, &jsonschema.Schema{Required: []string{w.key}})
	}
	tasks := mapping(one, namePattern)
	tasks.MinProperties = jsonschema.Ptr(1)
	add(named[task]{}, tasks)

	root := object[file](types)
	root.Schema, root.ID = "https://json-schema.org/draft/2020-12/schema", schemaID
	root.Title = "candor plan"
	return root
}

// leafSchemas says what an editor may expect where a leaf stands. A number may
// be given by a variable, and then it is a text.
func leafSchemas() map[reflect.Type]*jsonschema.Schema {
	const variable = `\{\{`
	str := &jsonschema.Schema{Type: "string"}
	return map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[text]():      str,
		reflect.TypeFor[plain]():     str,
		reflect.TypeFor[script]():    str,
		reflect.TypeFor[letter]():    str,
		reflect.TypeFor[word]():      {Types: []string{"string", "number", "boolean"}},
		reflect.TypeFor[boolean]():   {Type: "boolean"},
		reflect.TypeFor[whole]():     {AnyOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string", Pattern: variable + `|^[+-]?[0-9]+$`}}},
		reflect.TypeFor[number]():    {AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "string", Pattern: variable + `|^[+-]?[0-9.eE+-]+$`}}},
		reflect.TypeFor[duration]():  {Type: "string", Pattern: variable + `|^\+?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`},
		reflect.TypeFor[amount]():    {AnyOf: []*jsonschema.Schema{{Type: "integer", Minimum: jsonschema.Ptr(0.0)}, {Type: "string"}}},
		reflect.TypeFor[condition](): {Type: "string", Pattern: `^\{\{[ \t]*inputs\.[a-z0-9][a-z0-9_-]{0,63}[ \t]*\}\}$`},
		reflect.TypeFor[anything]():  {},
		reflect.TypeFor[answer]():    {AnyOf: []*jsonschema.Schema{{Type: "object"}, {Type: "string"}}},
		reflect.TypeFor[items]():     {AnyOf: []*jsonschema.Schema{{Type: "array", MaxItems: jsonschema.Ptr(candor.MaxRows)}, {Type: "string", Pattern: variable}}},
	}
}

func object[T any](types map[reflect.Type]*jsonschema.Schema) *jsonschema.Schema {
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(fmt.Sprintf("plan: schema: %v", err))
	}
	return s
}

func mapping(value *jsonschema.Schema, names string) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type: "object", AdditionalProperties: value.CloneSchemas(),
		PropertyNames: &jsonschema.Schema{Pattern: names},
	}
}

func array(value *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: value.CloneSchemas()}
}

func either(a, b *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{a.CloneSchemas(), b.CloneSchemas()}}
}

func enum[S ~string](all []S) []any {
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return out
}
