package plan

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"
)

func TestSchemaIsFrozen(t *testing.T) {
	golden(t, "testdata/schema.golden.json", Schema())
	if !bytes.Equal(Schema(), Schema()) {
		t.Error("not the same twice")
	}
}

func resolved(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// asEditor reads a plan as an editor does: as YAML, without knowing candor.
func asEditor(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc, out any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRightPlansFitTheSchema(t *testing.T) {
	r := resolved(t)
	for _, path := range append(plans(t, "testdata/right/*.yaml"), plans(t, "../../examples/*/plan.yaml")...) {
		if err := r.Validate(asEditor(t, path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// An editor cannot see everything, but these it must.
func TestSchemaRefuses(t *testing.T) {
	r := resolved(t)
	for _, name := range []string{"unknown-keys", "missing", "empty-tasks", "names", "times", "classes", "what-to-do", "text", "env"} {
		path := filepath.Join("testdata/wrong", name+".yaml")
		if err := r.Validate(asEditor(t, path)); err == nil {
			t.Errorf("%s: the schema accepts it", path)
		}
	}
}

func TestExamplesLoad(t *testing.T) {
	for _, path := range plans(t, "../../examples/*/plan.yaml") {
		sub, err := Load(path, someInputs(t, path), Options{Warn: func(e *Error) { t.Errorf("%s: %v", path, e) }})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if err := sub.Validate(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// someInputs gives each input that must be given a value of its type.
func someInputs(t *testing.T, path string) map[string]string {
	t.Helper()
	all, err := Inputs(path)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, in := range all {
		if in.Required {
			given[in.Name] = map[InputType]string{InputPath: t.TempDir(), InputInt: "1", InputNumber: "1", InputBool: "true"}[in.Type]
		}
	}
	return given
}
