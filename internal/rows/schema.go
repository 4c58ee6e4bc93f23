package rows

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// form is what an answer must be: any text, or JSON that obeys a schema.
type form struct {
	schema *jsonschema.Resolved // nil: any text
}

// newForm reads a step's schema; empty: none.
func newForm(raw json.RawMessage) (form, error) {
	if len(raw) == 0 {
		return form{}, nil
	}
	if err := sound(raw); err != nil {
		return form{}, err
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return form{}, err
	}
	resolved, err := s.Resolve(nil)
	return form{resolved}, err
}

// read is an answer's text as JSON: itself where it obeys the schema, the text
// as a JSON string where there is none. Otherwise complaint says what is wrong
// with it, for people and for the model.
func (f form) read(text string) (answer json.RawMessage, complaint string) {
	if f.schema == nil {
		return quote(text), ""
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, notJSON(text, err)
	}
	if err := f.schema.Validate(value); err != nil {
		return nil, "it does not obey the schema: " + clip(rooted(err.Error()), maxText)
	}
	packed, err := compact([]byte(text))
	if err != nil {
		return nil, notJSON(text, err)
	}
	return json.RawMessage(packed), ""
}

// rooted cuts the library's steps from the root, which repeat themselves.
func rooted(text string) string {
	for {
		before, rest, nested := strings.Cut(text, ": validating /")
		if !nested || !strings.HasPrefix(before, "validating ") {
			return strings.TrimPrefix(text, "validating root: ")
		}
		text = "validating /" + rest
	}
}

// notJSON says why a text is no JSON, in words that a model can follow.
func notJSON(text string, err error) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "it is empty"
	case strings.Contains(text, "```"):
		return "it has a code fence around its JSON"
	case !strings.ContainsAny(text[:1], `{["`) && strings.ContainsAny(text, "{["):
		return "it has words around its JSON"
	}
	return fmt.Sprintf("it is no JSON: %v", err)
}

// quote is a text as a JSON string.
func quote(text string) json.RawMessage {
	b, _ := marshal(strings.ToValidUTF8(text, "\uFFFD")) // a string always has a JSON form
	return b
}
