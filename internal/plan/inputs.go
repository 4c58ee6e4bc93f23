package plan

import "encoding/json"

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
	return nil, Errors{{File: path, Message: "not written yet"}}
}
