package rows

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSchemasThatCannotBeUsed(t *testing.T) {
	for schema, want := range map[string]string{
		`{"$ref":"#"}`:             "refers to itself without end",
		`{"allOf":[{"$ref":"#"}]}`: "refers to itself without end",
		`{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"properties":{"x":{"$ref":"#/$defs/a"}}}`: "refers to itself without end",
		`{"$defs":{"a~b/c":{"if":{"$ref":"#/$defs/a~0b~1c"}}}}`:                                                                     "refers to itself without end",
		`{"dependentSchemas":{"a":{"$ref":"#"}}}`:                                                                                   "refers to itself without end",
		`{"oneOf":[{"$ref":"#/oneOf/1"},{"$ref":"#/oneOf/0"}]}`:                                                                     "refers to itself without end",
		`{"$ref":"https://example.com/schema"}`:                                                                                     "is not followed here",
		`{"$ref":"#name","$defs":{"a":{"$anchor":"name"}}}`:                                                                         "is not followed here",
		`{"$dynamicRef":"#a"}`:                            "is not followed here",
		`{"properties":{"a":{"$id":"x","$ref":"#"}}}`:     "is not followed here",
		`{"$ref":"#/$defs/none"}`:                         "points at no schema",
		`{"$ref":"#/allOf/7","allOf":[{}]}`:               "points at nothing",
		`{"type":"wish"}`:                                 `"wish" is no type: array`,
		`{"properties":{"a":{"type":["string","wish"]}}}`: `"wish" is no type`,
		`{"properties":{"a":null}}`:                       "nil",
		`{"type":"string","pattern":"(?<=a)b"}`:           "pattern",
		`{"type":7}`:                                      "",
		`[]`:                                              "",
		`{`:                                               "",
	} {
		_, err := newForm(json.RawMessage(schema))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", schema, err, want)
		}
	}
}

// Schemas that refer to themselves deeper in the value, and names that look
// like keywords, are sound.
func TestSchemasThatCan(t *testing.T) {
	for schema, answer := range map[string]string{
		`{"type":"object","properties":{"next":{"$ref":"#"}}}`:                                                                              `{"next":{"next":{}}}`,
		`{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}}}`: `{"kids":[{"kids":[]}]}`,
		`{"properties":{"$ref":{"type":"string"},"type":{"enum":["wish"]},"not":{"$ref":"#"},"$id":{"const":"#"}}}`:                         `{"$ref":"x","type":"wish","$id":"#"}`,
		`{"const":{"$ref":"#","type":"wish"}}`:                                                                                              `{"$ref":"#","type":"wish"}`,
		`{"$id":"https://example.com/a","type":"integer"}`:                                                                                  `7`,
		`{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{"a":true}}`:                                                          `null`,
	} {
		f, err := newForm(json.RawMessage(schema))
		if err != nil {
			t.Errorf("%s: %v", schema, err)
			continue
		}
		if _, complaint := f.read(answer); complaint != "" {
			t.Errorf("%s: %s: %s", schema, answer, complaint)
		}
	}
}

func TestComplaints(t *testing.T) {
	f, err := newForm(json.RawMessage(`{"type":"object","properties":{"a":{"type":"object","properties":{"n":{"type":"integer","maximum":5}}}},"required":["a"],"additionalProperties":false}`))
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]string{
		" {\"a\": {\"n\": 5}}\n ":  "",
		``:                         "it is empty",
		"```json\n{\"a\":{}}\n```": "a code fence",
		`Here: {"a":{}}`:           "words around its JSON",
		`{"a":{}} I hope it helps`: "no JSON: invalid character 'I' after top-level value",
		`{"a":{}`:                  "no JSON: unexpected end",
		`{"a":{"n":"x"}}`:          `validating /properties/a/properties/n: type: x has type "string"`,
		`{"a":{"n":7}}`:            "maximum",
		`{"a":{"n":5.5}}`:          "integer",
		`{"b":1}`:                  "additional properties",
		`{}`:                       "missing properties",
		`no words of JSON at all`:  "no JSON: invalid character 'o'",
		`{"a":{}}{"a":{}}`:         "after top-level value",
	} {
		read, complaint := f.read(answer)
		if want == "" && (complaint != "" || string(read) != `{"a":{"n":5}}`) || !strings.Contains(complaint, want) {
			t.Errorf("%s: %q, read %s", answer, complaint, read)
		}
	}
}

// No schema and no answer overflows the stack, and what passes is JSON.
func FuzzForm(f *testing.F) {
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}`, `{}`)
	f.Add(`{"type":"array","items":{"$ref":"#"}}`, `[[[]]]`)
	f.Add(`{"if":{"$ref":"#/then"},"then":{"$ref":"#/if"}}`, `1`)
	f.Add(`{"dependencies":{"a":{"$ref":"#"}}}`, `{"a":1}`)
	f.Add(`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"type":"null"}},"$ref":"#/definitions/a"}`, `null`)
	f.Fuzz(func(t *testing.T, schema, answer string) {
		judge, err := newForm(json.RawMessage(schema))
		if err != nil {
			return
		}
		if read, complaint := judge.read(answer); complaint == "" && !json.Valid(read) {
			t.Errorf("%s passed as %s", answer, read)
		}
	})
}
