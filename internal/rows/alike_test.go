package rows

import (
	"encoding/json"
	"fmt"
	"testing"

	"candor"
)

func TestAnswersAreCompared(t *testing.T) {
	answers := func(texts ...string) []*row {
		var all []*row
		for _, text := range texts {
			all = append(all, &row{RowResult: candor.RowResult{Answer: quote(text)}})
		}
		return all
	}
	const sorry = "I am sorry, I cannot help with that."
	all := answers(sorry, "A talk about owls and mice.", sorry, "yes", "no", "yes")
	all = append(all, nil, &row{RowResult: candor.RowResult{Error: &candor.RowError{Code: "x"}}})
	var got candor.RowTotals
	alike(&got, all, nil)
	most := 0
	for _, n := range got.Answers {
		most = max(most, n)
	}
	if got.Compared != 3 || len(got.Answers) != 2 || most != 2 {
		t.Errorf("%+v", got)
	}
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("answer number %d of all", i/3))
	}
	got = candor.RowTotals{}
	alike(&got, answers(many...), nil)
	if got.Compared != 1000 || len(got.Answers) != alikeKept {
		t.Errorf("of a thousand: %d compared, %d told", got.Compared, len(got.Answers))
	}
	got = candor.RowTotals{}
	alike(&got, answers(sorry, sorry), json.RawMessage(`{"enum": ["a", "b"]}`))
	if got.Compared != 0 || got.Answers != nil {
		t.Errorf("by choice: %+v", got)
	}
}

func TestChoice(t *testing.T) {
	for schema, want := range map[string]bool{
		``:                    false,
		`{}`:                  false,
		`{"type": "string"}`:  false,
		`{"type": "boolean"}`: true,
		`{"type": "string", "enum": ["talk", "music"]}`: true,
		`{"const": 1}`:                    true,
		`{"type": ["boolean", "string"]}`: false,
		`{"type": "object"}`:              false,
		`{"type": "object", "properties": {"keep": {"type": "boolean"}, "score": {"type": "integer"}}}`: true,
		`{"type": "object", "properties": {"keep": {"type": "boolean"}, "why": {"type": "string"}}}`:    false,
		`{"type": "array", "items": {"enum": ["a", "b"]}}`:                                              true,
		`{"type": "array"}`:                false,
		`{"anyOf": [{"type": "boolean"}]}`: false,
	} {
		if got := choice(json.RawMessage(schema)); got != want {
			t.Errorf("%s: %v", schema, got)
		}
	}
}
