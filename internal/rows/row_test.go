package rows_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"candor"
	"candor/internal/rows"
	"candor/internal/runtime"
	"candor/internal/simrt"
)

const person = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]}`

func TestARowIsAnswered(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	j := job(t, d, about("title"), `{"title":"owls <&> more"}`)
	totals, err := rows.Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	r := result(t, j)
	if r.Seed == nil || r.Took <= 0 || r.First <= 0 || r.PromptTokens == 0 || r.Tokens == 0 {
		t.Errorf("%+v", r)
	}
	want := candor.RowResult{
		Task: 17, Index: 3, Item: json.RawMessage(`{"title":"owls <&> more"}`), Model: "tiny", Digest: d.loan.Digest,
		Worker: "worker-1", Seed: r.Seed, Options: candor.LLMOptions{Context: 1024, MaxTokens: candor.DefaultMaxTokens, Seed: r.Seed},
		Tries: 1, Simulated: true,
	}
	if diff := cmp.Diff(want, r, cmpopts.IgnoreFields(want, "Answer", "Took", "First", "PromptTokens", "Tokens")); diff != "" {
		t.Error(diff)
	}
	var text string
	if err := json.Unmarshal(r.Answer, &text); err != nil || text == "" || text != string(read(t, j, "answer.txt")) {
		t.Errorf("answer %s, %v; answer.txt %q", r.Answer, err, read(t, j, "answer.txt"))
	}
	wantTotals := candor.RowTotals{Rows: 1, PromptTokens: int64(r.PromptTokens), Tokens: int64(r.Tokens), Model: "tiny", Digest: d.loan.Digest}
	if diff := cmp.Diff(wantTotals, totals, cmpopts.IgnoreFields(totals, "Compared", "Answers")); diff != "" {
		t.Error(diff)
	}
	if line := read(t, j, "result.json"); strings.Count(string(line), "\n") != 1 || strings.Contains(string(line), `\u003c`) {
		t.Errorf("result.json is %s", line)
	}
}

func TestTheSameTaskAnswersTheSame(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	answers := map[string]int{}
	for _, task := range []candor.TaskID{17, 17, 18} {
		j := job(t, d, about(""), `"owls"`)
		j.Task = task
		if _, err := rows.Run(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		answers[string(read(t, j, "answer.txt"))]++
	}
	if len(answers) != 2 {
		t.Errorf("%d answers of three runs of two tasks", len(answers))
	}
	l := about("")
	l.Options.Seed = new(int64)
	j := job(t, d, l, `"owls"`)
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if r := result(t, j); r.Seed == nil || *r.Seed != 0 {
		t.Errorf("a seed that was given: %v", r.Seed)
	}
}

func TestAnAnswerBySchema(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	l := about("")
	l.Schema = json.RawMessage(person)
	j := job(t, d, l, `"owls"`)
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	r := result(t, j)
	var v struct {
		Name *string
		Age  *int
	}
	if err := json.Unmarshal(r.Answer, &v); err != nil || v.Name == nil || v.Age == nil {
		t.Errorf("%v in %s", err, r.Answer)
	}
	if got := string(read(t, j, "answer.json")); got != string(r.Answer)+"\n" {
		t.Errorf("answer.json is %q", got)
	}
}

func TestAnAnswerIsAskedForAgainOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []simrt.Fault
		words  string // of the error; none: answered
		kept   string
	}{
		{"words around it", []simrt.Fault{{Kind: simrt.Prose, Times: 1}}, "", ""},
		{"off the schema", []simrt.Fault{{Kind: simrt.OffSchema, Times: 1}}, "", ""},
		{"words around it, twice", []simrt.Fault{{Kind: simrt.Prose, Times: 2}}, "it has a code fence around its JSON; asked again, it has a code fence", "Here is what"},
		{"off the schema, twice", []simrt.Fault{{Kind: simrt.OffSchema, Times: 2}}, "it does not obey the schema: required: missing properties", "off schema"},
		{"after an error", []simrt.Fault{{Kind: simrt.Prose, Times: 1}, {Kind: simrt.Error, Times: 1}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			l := about("")
			l.Schema = json.RawMessage(person)
			j := job(t, d, l, `"owls"`)
			d.inject(t, c.faults...)
			_, err := rows.Run(t.Context(), j)
			r := result(t, j)
			if r.Tries < 2 {
				t.Errorf("%d tries", r.Tries)
			}
			if c.words == "" {
				if err != nil || len(r.Answer) == 0 || r.Error != nil {
					t.Errorf("%v, %+v", err, r)
				}
				return
			}
			ended(t, err, candor.AttemptFailed, candor.ReasonAnswerSchema, c.words)
			if r.Answer != nil || r.Error == nil || r.Error.Code != "answer.schema" || !strings.Contains(r.Error.Answer, c.kept) || r.Tries != 2 {
				t.Errorf("%+v", r)
			}
			if exists(j, "answer.json") {
				t.Error("there is an answer.json")
			}
		})
	}
}

// A second answer that trips a guard leaves the first one's complaint standing.
func TestTheFirstComplaintStands(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	l := about("")
	l.Schema = json.RawMessage(person)
	j := job(t, d, l, `"owls"`)
	eye := spy{Server: d.client, before: func(i int) {
		if i == 1 {
			d.inject(t, simrt.Fault{Kind: simrt.Cut, Times: 1, After: 2})
		}
	}}
	d.loan.Server = &eye
	d.inject(t, simrt.Fault{Kind: simrt.Prose, Times: 1})
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptFailed, candor.ReasonAnswerSchema, "code fence around its JSON; asked again: the answer of")
	if got := eye.requests[1].Messages; len(got) != 4 || got[2].Role != "assistant" || !strings.Contains(got[2].Text, "```json") ||
		!strings.Contains(got[3].Text, "code fence") {
		t.Errorf("the second request: %+v", got)
	}
}

func TestAnEmbedding(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{Dims: 8})
	l := &candor.LLM{Embed: []candor.Part{{IsItem: true, Item: "text"}}}
	j := job(t, d, l, `{"text":"owls and mice"}`)
	d.inject(t, simrt.Fault{Kind: simrt.Busy, Times: 2})
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	r := result(t, j)
	var vector []float32
	if err := json.Unmarshal(read(t, j, "answer.json"), &vector); err != nil || len(vector) != 8 {
		t.Errorf("%v, %v", vector, err)
	}
	if diff := cmp.Diff(vector, r.Vector); diff != "" || r.PromptTokens == 0 || r.Answer != nil || r.Options.MaxTokens != 0 || r.Seed != nil {
		t.Errorf("%+v %s", r, diff)
	}

	j = job(t, d, l, `{"text":"`+strings.Repeat("owls ", 2000)+`"}`)
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptFailed, candor.ReasonAnswerTruncated, "does not fit the context")
}

func TestWhatIsSent(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	l := about("title")
	heat, k, think := 0.5, 7, false
	l.Options = candor.LLMOptions{MaxTokens: 33, Temperature: &heat, TopP: &heat, TopK: &k, RepeatPenalty: &heat, Stop: []string{"END"}, Think: &think}
	l.Schema = json.RawMessage(person)
	j := job(t, d, l, `{"title":"${item.title} {{item}} item.title"}`)
	eye := spy{Server: d.client}
	d.loan.Server = &eye
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	got := eye.requests[0]
	want := runtime.Request{
		Model: tiny, Digest: d.loan.Digest, Settings: runtime.Settings{Context: 1024}, Schema: l.Schema, MaxTokens: 33, Think: &think,
		Messages: []runtime.Message{
			{Role: "system", Text: "Be brief."}, {Role: "user", Text: "Say something about ${item.title} {{item}} item.title"},
		},
		Sampling: runtime.Sampling{Seed: got.Sampling.Seed, Temperature: &heat, TopP: &heat, TopK: &k, RepeatPenalty: &heat, Stop: []string{"END"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
