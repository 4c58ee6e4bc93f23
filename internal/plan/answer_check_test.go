package plan

import (
	"encoding/json"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// What passes as a schema is one to the library that checks answers by it.
func FuzzSchemaProblems(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"type": "strng"}`, `{"properties": {"a": {"$ref": "#"}}, "required": ["a", 1]}`, `{"$ref": "#/$defs/a"}`,
		`{"items": [true], "$schema": "http://json-schema.org/draft-07/schema#"}`, `{"pattern": "("}`, `{"$id": "urn:x", "$anchor": "a"}`,
		`{"dependencies": {"a": ["b"]}}`, `{"const": null, "enum": [1, "a"]}`, `{"minimum": 1e400}`, `{"$vocabulary": {"x": true}}`, `{"$ref":"#"}`, `{"$defs":{"a":{"$anchor":"x","allOf":[{"$ref":"#x"}]}},"$ref":"#/$defs/a"}`, `{"properties":{"a":{"$ref":"#"}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		errors, warnings := schemaProblems(json.RawMessage(text))
		for _, p := range append(errors, warnings...) {
			if p.text == "" {
				t.Errorf("%s: a problem without words at %q", text, p.path)
			}
		}
		if len(errors) > 0 {
			return
		}
		var s jsonschema.Schema
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		r, err := s.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Validate(map[string]any{"a": 1.0})
	})
}
