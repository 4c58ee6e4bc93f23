package rows

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"candor"
)

// Answers that are the same again and again are a sign of a prompt without its
// text, or of a model that answers all with an excuse. A result file never is the
// same twice, since it holds times and ids: the answers are compared.

const (
	// saysLittle is how many bytes an answer has at most that may well be the same
	// for many rows: a word, a number, yes or no.
	saysLittle = 16
	// alikeKept bounds how many different answers are told of a task: those that are
	// the most often. What a quarter of a step's rows say is among them in most tasks.
	alikeKept = 8
)

// alike counts the answers of a job, by what they are. Those that the schema
// gives a choice of, and those that say little, are left out.
func alike(t *candor.RowTotals, all []*row, schema json.RawMessage) {
	if choice(schema) {
		return
	}
	by := map[string]int{}
	for _, r := range all {
		if r == nil || r.Error != nil {
			continue
		}
		answer := []byte(r.Answer)
		if len(r.Vector) > 0 {
			answer, _ = marshal(r.Vector)
		}
		if len(answer) <= saysLittle {
			continue
		}
		sum := sha256.Sum256(answer)
		by[hex.EncodeToString(sum[:8])]++
		t.Compared++
	}
	for _, sum := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(by[b]-by[a], cmp.Compare(a, b))
	}) {
		if len(t.Answers) == alikeKept {
			return
		}
		if t.Answers == nil {
			t.Answers = map[string]int{}
		}
		t.Answers[sum] = by[sum]
	}
}

// choice tells whether all that a schema allows are values out of a few: truth
// values, numbers, what it enumerates, and objects and lists of such.
func choice(schema json.RawMessage) bool {
	var s struct {
		Type       json.RawMessage            `json:"type"`
		Enum       []json.RawMessage          `json:"enum"`
		Const      json.RawMessage            `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
	}
	if len(schema) == 0 || json.Unmarshal(schema, &s) != nil {
		return false
	}
	if len(s.Enum) > 0 || len(s.Const) > 0 {
		return true
	}
	var kind string
	if json.Unmarshal(s.Type, &kind) != nil {
		return false // of several, one may be a text
	}
	switch kind {
	case "boolean", "null", "integer", "number":
		return true
	case "array":
		return choice(s.Items)
	case "object":
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if !choice(s.Properties[name]) {
				return false
			}
		}
		return len(s.Properties) > 0
	}
	return false
}
