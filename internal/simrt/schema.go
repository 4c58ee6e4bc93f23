package simrt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// schema is the part of JSON Schema that answers follow.
type schema struct {
	Type       kinds              `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	MinItems   int                `json:"minItems"`
	MaxItems   *int               `json:"maxItems"`
	MinLength  int                `json:"minLength"`
	MaxLength  *int               `json:"maxLength"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	Enum       []json.RawMessage  `json:"enum"`
	Const      json.RawMessage    `json:"const"`
	AnyOf      []*schema          `json:"anyOf"`
	OneOf      []*schema          `json:"oneOf"`
	Ref        string             `json:"$ref"`
	Defs       map[string]*schema `json:"$defs"`
}

// kinds is one type or several.
type kinds []string

// UnmarshalJSON takes a name or a list of names.
func (k *kinds) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*k = kinds{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(k))
}

// maxDepth ends schemas that contain themselves.
const maxDepth = 8

var errSchema = errors.New("not a schema that can be followed")

// bySchema makes up a JSON text that obeys a schema, or any object for "json".
func bySchema(format json.RawMessage, rng *rand.Rand) (string, error) {
	if bytes.Equal(bytes.TrimSpace(format), []byte(`"json"`)) {
		return `{"simulated": true}`, nil
	}
	var root schema
	if err := json.Unmarshal(format, &root); err != nil {
		return "", fmt.Errorf("%w: %w", errSchema, err)
	}
	w := writer{rng: rng, defs: root.Defs}
	if err := w.value(&root, 0); err != nil {
		return "", err
	}
	return w.out.String(), nil
}

// writer makes up values.
type writer struct {
	rng  *rand.Rand
	defs map[string]*schema
	out  strings.Builder
}

func (w *writer) value(s *schema, depth int) error {
	if s == nil || depth > maxDepth {
		w.out.WriteString("null")
		return nil
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return w.value(w.defs[name], depth+1)
	}
	switch {
	case s.Const != nil:
		w.out.Write(s.Const)
		return nil
	case len(s.Enum) > 0:
		w.out.Write(s.Enum[w.rng.IntN(len(s.Enum))])
		return nil
	case len(s.AnyOf) > 0:
		return w.value(s.AnyOf[w.rng.IntN(len(s.AnyOf))], depth+1)
	case len(s.OneOf) > 0:
		return w.value(s.OneOf[w.rng.IntN(len(s.OneOf))], depth+1)
	}
	switch kind := s.kind(); kind {
	case "object":
		return w.object(s, depth)
	case "array":
		return w.array(s, depth)
	case "string":
		w.text(s)
	case "integer":
		fmt.Fprintf(&w.out, "%d", int64(w.number(s)))
	case "number":
		fmt.Fprintf(&w.out, "%.2f", w.number(s))
	case "boolean":
		fmt.Fprintf(&w.out, "%t", w.rng.IntN(2) == 0)
	case "null":
		w.out.WriteString("null")
	default:
		return fmt.Errorf("%w: type %q", errSchema, kind)
	}
	return nil
}

// kind is the first type that is not null; without one, what the keywords say.
func (s *schema) kind() string {
	for _, k := range s.Type {
		if k != "null" || len(s.Type) == 1 {
			return k
		}
	}
	switch {
	case s.Properties != nil:
		return "object"
	case s.Items != nil:
		return "array"
	}
	return "string"
}

// object writes all properties, those that are required first as listed.
func (w *writer) object(s *schema, depth int) error {
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	w.out.WriteString("{")
	for i, name := range names {
		if i > 0 {
			w.out.WriteString(", ")
		}
		w.quote(name)
		w.out.WriteString(": ")
		if err := w.value(s.Properties[name], depth+1); err != nil {
			return err
		}
	}
	w.out.WriteString("}")
	return nil
}

func (w *writer) array(s *schema, depth int) error {
	n := s.MinItems + w.rng.IntN(3)
	if s.MaxItems != nil {
		n = min(n, *s.MaxItems)
	}
	w.out.WriteString("[")
	for i := range n {
		if i > 0 {
			w.out.WriteString(", ")
		}
		if err := w.value(s.Items, depth+1); err != nil {
			return err
		}
	}
	w.out.WriteString("]")
	return nil
}

func (w *writer) text(s *schema) {
	text := strings.Join(babble(w.rng, 1+w.rng.IntN(4)), "")
	for len(text) < s.MinLength {
		text += text
	}
	if s.MaxLength != nil && len(text) > *s.MaxLength {
		text = text[:max(0, *s.MaxLength)]
	}
	w.quote(text)
}

func (w *writer) quote(text string) {
	b, _ := json.Marshal(text) // a string always has a JSON form
	w.out.Write(b)
}

func (w *writer) number(s *schema) float64 {
	low, high := 0.0, 100.0
	if s.Minimum != nil {
		low, high = *s.Minimum, *s.Minimum+100
	}
	if s.Maximum != nil {
		high = *s.Maximum
		low = min(low, high)
		if s.Minimum != nil {
			low = *s.Minimum
		}
	}
	return low + w.rng.Float64()*(high-low)
}
