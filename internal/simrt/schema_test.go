package simrt

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// Answers are judged by a validator that is not ours.
func TestAnswersObeyTheirSchema(t *testing.T) {
	for name, text := range map[string]string{
		"object":  `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"ok":{"type":"boolean"}},"required":["name","age"]}`,
		"bounds":  `{"type":"object","properties":{"n":{"type":"integer","minimum":5,"maximum":7},"x":{"type":"number","maximum":-1},"s":{"type":"string","minLength":40,"maxLength":50}},"required":["n","x","s"]}`,
		"array":   `{"type":"array","items":{"enum":["a","b",3,null]},"minItems":2,"maxItems":4}`,
		"nested":  `{"type":"object","properties":{"topics":{"type":"array","items":{"type":"object","properties":{"title":{"type":"string"},"weight":{"type":"number"}},"required":["title","weight"]},"maxItems":3}},"required":["topics"]}`,
		"choice":  `{"anyOf":[{"type":"string"},{"type":"object","properties":{"v":{"const":"x"}},"required":["v"]}]}`,
		"ref":     `{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"required":["a"],"$defs":{"b":{"type":"boolean"}}}`,
		"nullish": `{"type":["null","string"]}`,
		"free":    `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			var s jsonschema.Schema
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatal(err)
			}
			judge, err := s.Resolve(nil)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(50) {
				answer, err := bySchema(json.RawMessage(text), rand.New(rand.NewPCG(seed, 1)))
				if err != nil {
					t.Fatal(err)
				}
				var v any
				if err := json.Unmarshal([]byte(answer), &v); err != nil {
					t.Fatalf("%v in %s", err, answer)
				}
				if err := judge.Validate(v); err != nil {
					t.Fatalf("%s: %v", answer, err)
				}
			}
		})
	}
}

func TestBadSchemas(t *testing.T) {
	for _, text := range []string{`{"type":7}`, `"xml"`, `{"type":"wish"}`, `[`} {
		if answer, err := bySchema(json.RawMessage(text), rand.New(rand.NewPCG(1, 1))); err == nil {
			t.Errorf("%s: answered %s", text, answer)
		}
	}
}

// A schema that contains itself ends, and no schema panics.
func FuzzSchema(f *testing.F) {
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"},"minItems":1}}}`)
	f.Add(`{"type":"object","properties":{"a":null}}`)
	f.Add(`{"type":"string","maxLength":-1,"minLength":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		answer, err := bySchema(json.RawMessage(text), rand.New(rand.NewPCG(1, 1)))
		if err == nil && !json.Valid([]byte(answer)) {
			t.Errorf("%s: not JSON: %s", text, answer)
		}
	})
}
