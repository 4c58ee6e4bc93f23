package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

func TestProblemsHaveTheirPlace(t *testing.T) {
	tests := []struct{ schema, path, text, hint string }{
		{`[]`, "", "an object is wanted, not a list", "like {type"},
		{`{"properties": {"a": {"type": "int"}}}`, "properties a type", `"int" is not a type`, `"integer"`},
		{`{"anyOf": [{"type": "null"}, {"type": "frob"}]}`, "anyOf 1 type", `"frob" is not a type`, "the types"},
		{`{"$ref": "#/$defs/a"}`, "$ref", "there is no schema at #/$defs/a", ""},
		{`{"$ref": "#/minimum", "minimum": 1}`, "$ref", "there is no schema at", ""},
		{`{"$ref": "other.json"}`, "$ref", "a place within the schema is wanted", "nothing is fetched"},
		{`{"properties": {"a": {"$id": "urn:a"}}}`, "properties a $id", "$id is not followed", "#/$defs/name"},
		{`{"$ref": "#"}`, "", "it refers to itself", "properties or items"},
		{`{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"if": {"$ref": "#/allOf/0"}}}}`, "", "it refers to itself", ""},
		{`{"minItems": 1.5}`, "minItems", "a whole number is wanted", ""},
		{`{"pattern": "(?=a)"}`, "pattern", "is not a pattern", "RE2"},
		{strings.Repeat(`{"not":`, 200) + `{}` + strings.Repeat(`}`, 200), strings.TrimSpace(strings.Repeat("not ", maxDepth+1)), "more than 64 schemas", ""},
	}
	for _, test := range tests {
		errors, _ := Problems(json.RawMessage(test.schema))
		if len(errors) != 1 {
			t.Errorf("%.60s: %d problems: %v", test.schema, len(errors), errors)
			continue
		}
		p := errors[0]
		if strings.Join(p.Path, " ") != test.path || !strings.Contains(p.Text, test.text) || !strings.Contains(p.Hint, test.hint) {
			t.Errorf("%.60s: %q: %s (%s)", test.schema, p.Path, p.Text, p.Hint)
		}
	}
}

// judge is a schema without problems, as answers are checked by it.
func judge(t *testing.T, text string) *jsonschema.Resolved {
	t.Helper()
	if errors, _ := Problems(json.RawMessage(text)); len(errors) > 0 {
		t.Fatalf("%s: %v", text, errors)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatHasNoProblemsJudges(t *testing.T) {
	r := judge(t, `{"$id": "urn:x", "type": "object", "properties": {"tree": {"$ref": "#"}, "title": {"$ref": "#/$defs/a~1b"}}, "required": ["title"], "$defs": {"a/b": {"type": "string"}}}`)
	for text, good := range map[string]bool{`{"title": "x", "tree": {"title": "y"}}`: true, `{"title": "x", "tree": {}}`: false, `{"title": 5}`: false} {
		var answer any
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(answer); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What passes as a schema is one to the library that checks answers by it.
func FuzzProblems(f *testing.F) {
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
		errors, warnings := Problems(json.RawMessage(text))
		for _, p := range append(errors, warnings...) {
			if p.Text == "" {
				t.Errorf("%s: a problem without words at %q", text, p.Path)
			}
		}
		if len(errors) > 0 {
			return
		}
		_ = judge(t, text).Validate(map[string]any{"a": 1.0})
	})
}
