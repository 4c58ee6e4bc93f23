package candor

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// goodPrompts is one of every kind of question to a model.
func goodPrompts() *Submission {
	temperature, k, seed := 0.5, 40, int64(7)
	return &Submission{
		Name: "prompts",
		Steps: []Step{
			{Name: "scan", Class: ClassCPU, Run: "true", Outputs: map[string]string{"rows": "rows.json", "note": "note.txt"}},
			{Name: "many", Class: ClassCPU, Run: "true", Outputs: map[string]string{"part": "p.txt"}, Each: &Each{Items: []json.RawMessage{json.RawMessage("1")}}},
			{Name: "topics", Class: ClassLLM, Model: "small", Accept: []string{"large"}, Context: 8192,
				Needs: []Need{{Step: "scan"}, {Step: "many", AllowFailed: true}}, Each: &Each{From: &Manifest{Step: "scan", Output: "rows"}, Chunk: 20},
				Outputs: map[string]string{"topics": "results.jsonl"},
				LLM: &LLM{
					Messages: []Message{
						{Role: RoleSystem, Parts: []Part{{Text: "You name topics."}}},
						{Role: RoleUser, Parts: []Part{{Text: "Of: "}, {IsItem: true, Item: "text"}, {IsItem: true}, {Need: "scan", Output: "note", Path: "a.b"}}},
					},
					Schema:  json.RawMessage(`{"type": "object"}`),
					Options: LLMOptions{Context: 8192, MaxTokens: 300, Temperature: &temperature, TopK: &k, Seed: &seed, Stop: []string{"#"}},
				}},
			{Name: "behind", Class: ClassLLM, Model: "small", Needs: []Need{{Step: "topics", Each: true}}, Each: &Each{Same: "topics", Chunk: 20},
				LLM: &LLM{Messages: []Message{{Role: RoleUser, Parts: []Part{{Need: "topics", Output: "topics"}}}}}},
			{Name: "vectors", Class: ClassLLM, Model: "small", Each: &Each{Items: []json.RawMessage{json.RawMessage("1"), json.RawMessage("2"), json.RawMessage("3")}, Chunk: 2},
				LLM: &LLM{Embed: []Part{{IsItem: true}}}},
			{Name: "page", Class: ClassLLM, Model: "small", Outputs: map[string]string{"answer": "answer.txt", "result": "result.json"},
				LLM: &LLM{Messages: []Message{{Role: RoleUser, Parts: []Part{{Text: "x"}}}}}},
		},
	}
}

func TestValidateAcceptsPrompts(t *testing.T) {
	if err := goodPrompts().Validate(); err != nil {
		t.Fatal(err)
	}
	if got := goodPrompts().Steps[4].Each.Tasks(); got != 2 {
		t.Errorf("three rows in chunks of two are %d tasks", got)
	}
}

func TestValidateRefusesPrompts(t *testing.T) {
	step := func(name string, change func(*Step)) func(*Submission) {
		return func(s *Submission) {
			change(&s.Steps[slices.IndexFunc(s.Steps, func(s Step) bool { return s.Name == name })])
		}
	}
	topics := func(change func(*Step)) func(*Submission) { return step("topics", change) }
	part := func(p Part) func(*Submission) {
		return topics(func(s *Step) { s.LLM.Messages[1].Parts = []Part{p} })
	}
	option := func(change func(*LLMOptions)) func(*Submission) {
		return topics(func(s *Step) { change(&s.LLM.Options) })
	}
	number := func(v float64) *float64 { return &v }
	tests := map[string]struct {
		change func(*Submission)
		want   string
	}{
		"an order":           {step("scan", func(s *Step) { s.Class, s.Run, s.Order = ClassResource, "", &Order{Kind: OrderLoad} }), "made by candor itself"},
		"prompt of a cpu":    {topics(func(s *Step) { s.Class, s.Accept, s.Context = ClassCPU, nil, 0 }), "a prompt goes with class llm"},
		"accept of a cpu":    {step("scan", func(s *Step) { s.Accept = []string{"m"} }), "accept and num_ctx go with class llm"},
		"context of a cpu":   {step("scan", func(s *Step) { s.Context = 5 }), "accept and num_ctx go with class llm"},
		"negative context":   {topics(func(s *Step) { s.Context, s.LLM.Options.Context = -1, -1 }), "num_ctx -1 is not within"},
		"accept itself":      {topics(func(s *Step) { s.Accept = []string{"small:latest"} }), "twice among those"},
		"accept nothing":     {topics(func(s *Step) { s.Accept = []string{""} }), "a model is one line"},
		"and a command":      {topics(func(s *Step) { s.Run = "true" }), "one of them"},
		"and variables":      {topics(func(s *Step) { s.Env = map[string]string{"A": "b"} }), "no variables"},
		"nothing asked":      {topics(func(s *Step) { s.LLM.Messages = nil }), "either messages or a text to embed"},
		"two things asked":   {topics(func(s *Step) { s.LLM.Embed = []Part{{Text: "x"}} }), "either messages or a text to embed"},
		"two contexts":       {topics(func(s *Step) { s.Context = 4096 }), "num_ctx is 4096 for the model and 8192 for the prompt"},
		"negative deadline":  {topics(func(s *Step) { s.LLM.Deadline = -1 }), "negative deadline"},
		"bad role":           {topics(func(s *Step) { s.LLM.Messages[0].Role = "root" }), "is not a role: system, user, assistant"},
		"empty message":      {topics(func(s *Step) { s.LLM.Messages[0].Parts = nil }), "message 1 is empty"},
		"nothing to answer":  {topics(func(s *Step) { s.LLM.Messages[1].Role = RoleAssistant }), "the last message is the one that is answered"},
		"schema not JSON":    {topics(func(s *Step) { s.LLM.Schema = json.RawMessage("{") }), "not a JSON object"},
		"schema a list":      {topics(func(s *Step) { s.LLM.Schema = json.RawMessage("[]") }), "not a JSON object"},
		"schema too large":   {topics(func(s *Step) { s.LLM.Schema = json.RawMessage(strings.Repeat(" ", MaxSchema) + "{}") }), "more than the"},
		"schema of a vector": {step("vectors", func(s *Step) { s.LLM.Schema = json.RawMessage("{}") }), "no schema"},
		"output not written": {topics(func(s *Step) { s.Outputs["x"] = "answer.txt" }), "the answer is in results.jsonl"},
		"output of one row":  {step("page", func(s *Step) { s.Outputs["x"] = "answer.json" }), "answer.txt and result.json"},
		"two kinds of part":  {part(Part{Text: "x", IsItem: true}), "one of them"},
		"item and need":      {part(Part{IsItem: true, Need: "scan", Output: "note"}), "one of them"},
		"path into nothing":  {part(Part{Text: "x", Path: "a"}), "a path into nothing"},
		"item by path only":  {part(Part{Item: "a"}), "a path into nothing"},
		"bad path":           {part(Part{IsItem: true, Item: "a..b"}), "not a dotted path"},
		"text not UTF-8":     {part(Part{Text: "\xff"}), "UTF-8"},
		"text too long":      {part(Part{Text: strings.Repeat("x", MaxPrompt+1)}), "more than the"},
		"item of none":       {step("page", func(s *Step) { s.LLM.Messages[0].Parts = []Part{{IsItem: true}} }), "does not fan out"},
		"not needed":         {part(Part{Need: "ghost", Output: "x"}), "and so needs it"},
		"not declared":       {part(Part{Need: "scan", Output: "x"}), "declares no such output"},
		"no output":          {part(Part{Need: "scan"}), "declares no such output"},
		"may fail":           {part(Part{Need: "many", Output: "part"}), "cannot allow"},
		"one for each": {topics(func(s *Step) {
			s.Needs[1].AllowFailed = false
			s.LLM.Messages[1].Parts = []Part{{Need: "many", Output: "part"}}
		}), "one for each of its own items"},
		"negative tokens":      {option(func(o *LLMOptions) { o.MaxTokens = -1 }), "max_tokens -1"},
		"no room for prompts":  {option(func(o *LLMOptions) { o.MaxTokens = 8192 }), "has to hold the prompt and the answer"},
		"negative top_k":       {option(func(o *LLMOptions) { k := -1; o.TopK = &k }), "top_k -1"},
		"negative seed":        {option(func(o *LLMOptions) { seed := int64(-1); o.Seed = &seed }), "seed -1"},
		"hot":                  {option(func(o *LLMOptions) { o.Temperature = number(11) }), "temperature 11 is not within 0 and 10"},
		"not a number":         {option(func(o *LLMOptions) { o.TopP = number(math.NaN()) }), "top_p NaN is not within 0 and 1"},
		"negative penalty":     {option(func(o *LLMOptions) { o.RepeatPenalty = number(-1) }), "repeat_penalty -1"},
		"many stops":           {option(func(o *LLMOptions) { o.Stop = make([]string, MaxStops+1) }), "more than 16"},
		"empty stop":           {option(func(o *LLMOptions) { o.Stop = []string{""} }), "1 to 200 bytes"},
		"negative chunk":       {topics(func(s *Step) { s.Each.Chunk = -1 }), "chunk -1 is not within"},
		"large chunk":          {topics(func(s *Step) { s.Each.Chunk = MaxChunk + 1 }), "is not within 0 and 10000"},
		"shared in other ones": {step("behind", func(s *Step) { s.Needs[0].Each, s.Each.Chunk = false, 10 }), "in chunks of 20, not 10"},
		"each of other chunks": {step("behind", func(s *Step) {
			s.Each = &Each{From: &Manifest{Step: "scan", Output: "rows"}, Chunk: 10}
			s.Needs = append(s.Needs, Need{Step: "scan"})
		}), "item by item"},
		"chunk too large": {step("vectors", func(s *Step) { fill(s.Each, 40, 30_000) }), "rows 1 to 40 are 1200121 bytes of JSON, more than the 1048576"},
		"chunk of a command": {step("vectors", func(s *Step) { fill(s.Each, 4, 30_000); s.LLM, s.Run = nil, "true" }),
			"more than the 65536 that the rows of a command's variable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := goodPrompts()
			test.change(s)
			err := s.Validate()
			if err == nil {
				t.Fatal("accepted")
			}
			if CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%s: %v\nwant: %s", CodeOf(err), err, test.want)
			}
		})
	}
}

// fill makes one chunk of n rows of so many bytes.
func fill(e *Each, n, size int) {
	e.Chunk, e.Items = n, nil
	for range n {
		e.Items = append(e.Items, json.RawMessage(`"`+strings.Repeat("x", size)+`"`))
	}
}
