// Package schema judges the JSON Schemas that answers of models are to obey,
// before anything is asked by them.
//
// It is no validator: github.com/google/jsonschema-go checks answers. It says
// where a schema is wrong, with a word of help, and refuses what the validator
// would not survive.
//
// Invariants:
//
//   - what has no problems is taken by the validator, and no check by it goes on
//     without end;
//   - nothing is fetched: references lead to places within the schema, by JSON
//     pointer, as servers' grammars follow them;
//   - the problems of a schema are the same, in the same order, each time.
package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Problem is one thing wrong with a schema.
type Problem struct {
	Path []string // keys and positions that lead to it; empty: the schema itself
	Text string
	Hint string // what to write instead, or ""
}

// Problems says what is wrong with a schema, and what is probably not meant.
func Problems(raw json.RawMessage) (errors, warnings []Problem) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return []Problem{{Text: err.Error()}}, nil
	}
	var w walk
	root, isObject := value.(map[string]any)
	if !isObject {
		w.wrong(nil, "like {type: object, properties: {title: {type: string}}}", "an object is wanted, not %s", kindOf(value))
		return w.errors, nil
	}
	w.schema(nil, root)
	w.follow(root)
	if len(w.errors) > 0 {
		return w.errors, w.warnings
	}
	var s jsonschema.Schema
	err := json.Unmarshal(raw, &s)
	if err == nil {
		_, err = s.Resolve(nil)
	}
	if err != nil {
		// Several are joined in no particular order.
		all := strings.Split(err.Error(), "\n")
		slices.Sort(all)
		w.wrong(nil, "", "%s", all[0])
	}
	return w.errors, w.warnings
}

func (w *walk) wrong(path []string, hint, format string, args ...any) {
	w.errors = append(w.errors, Problem{slices.Clone(path), fmt.Sprintf(format, args...), hint})
}

func (w *walk) warn(path []string, hint, format string, args ...any) {
	w.warnings = append(w.warnings, Problem{slices.Clone(path), fmt.Sprintf(format, args...), hint})
}

// clip keeps untrusted text in messages short.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
