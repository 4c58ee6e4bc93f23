package plan

import (
	"encoding/json"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// InputType is the type of an input.
type InputType string

// The types of inputs.
const (
	InputString InputType = "string" // text
	InputPath   InputType = "path"   // a file or folder; made absolute
	InputInt    InputType = "int"    // a whole number
	InputNumber InputType = "number" // any finite number
	InputBool   InputType = "bool"   // true or false
	InputList   InputType = "list"   // values, each of any JSON type
)

// InputTypes lists the types of inputs.
func InputTypes() []InputType {
	return []InputType{InputString, InputPath, InputInt, InputNumber, InputBool, InputList}
}

// Input is an input as its plan declares it.
type Input struct {
	Name        string          `json:"name"`
	Type        InputType       `json:"type"`
	Default     json.RawMessage `json:"default,omitempty"` // nil: none
	Description string          `json:"description,omitempty"`
	Required    bool            `json:"required,omitempty"` // must be given
}

// Inputs lists the inputs that the plan at path declares, in the order of the
// file. Only what concerns the inputs is checked.
func Inputs(path string) ([]Input, error) {
	doc, errs := open(path)
	if errs != nil {
		return nil, errs
	}
	r := &reader{doc: doc}
	var f struct{ inputs named[input] }
	pairs, _ := r.mapping(doc.root)
	for _, p := range pairs {
		if p.key.Value == "inputs" {
			r.into(p.value, reflect.ValueOf(&f.inputs).Elem())
		}
	}
	var all []Input
	for _, d := range r.declarations(f.inputs) {
		all = append(all, d.Input)
	}
	if len(r.errors) > 0 {
		return nil, r.sorted(r.errors)
	}
	return all, nil
}

// declaration is an input with its places in the file.
type declaration struct {
	Input
	key  *yaml.Node
	base *yaml.Node // of the default, if any
}

// declarations checks the inputs of a plan without any value given.
func (r *reader) declarations(inputs named[input]) []declaration {
	var all []declaration
	env := map[string]string{}
	for _, p := range inputs.pairs {
		if !r.name(p.key, "an input", env) {
			continue
		}
		d := declaration{Input: Input{Name: p.key.Value, Type: InputString}, key: p.key}
		if t := p.value.Type; t.good {
			d.Type = InputType(t.node.Value)
			if !slices.Contains(InputTypes(), d.Type) {
				r.wrong(t.node, didYouMean(t.node.Value, words(InputTypes()), "the types"), "%q is not a type of inputs", clip(t.node.Value))
				d.Type = ""
			}
		}
		if p.value.Description.good {
			d.Description = p.value.Description.node.Value
		}
		d.Required = !p.value.Default.given() && !isFalse(p.value.Required)
		if p.value.Default.given() {
			d.base = p.value.Default.node
			if isTrue(p.value.Required) {
				r.wrong(p.value.Required.node, "leave out one of them", "input %s has a default, so it need not be given", d.Name)
			}
			d.Default = r.defaultOf(d)
		}
		all = append(all, d)
	}
	return all
}

func isTrue(b boolean) bool  { return b.good && truth(b.node) }
func isFalse(b boolean) bool { return b.good && !truth(b.node) }

func words[S ~string](all []S) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return out
}

// defaultOf checks that a default has its input's type, and gives it as JSON.
func (r *reader) defaultOf(d declaration) json.RawMessage {
	raw, ok := r.json(d.base)
	if !ok || d.Type == "" {
		return nil
	}
	isText := d.base.Kind == yaml.ScalarNode && raw[0] == '"'
	tag, fits := d.base.ShortTag(), false
	switch d.Type {
	case InputString, InputPath:
		fits = isText
	case InputInt:
		fits = tag == "!!int"
	case InputNumber:
		fits = tag == "!!int" || tag == "!!float"
	case InputBool:
		fits = tag == "!!bool"
	case InputList:
		fits = d.base.Kind == yaml.SequenceNode
	}
	if !fits {
		hint := ""
		if d.base.Kind == yaml.ScalarNode && (d.Type == InputString || d.Type == InputPath) && tag != "!!null" {
			hint = `put it in quotes: "` + clip(d.base.Value) + `"`
		}
		r.wrong(d.base, hint, "the default of %s is %s, but its type is %s", d.Name, kindOf(d.base), d.Type)
		return nil
	}
	return raw
}
