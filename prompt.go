package candor

import "encoding/json"

// LLM is what an llm step asks of its model when it is not a command: one row
// for each task, or a chunk of rows for each.
type LLM struct {
	// Messages is a conversation whose last turn the model answers. Empty: Embed is set.
	Messages []Message `json:"messages,omitempty"`
	// Embed is a text of which the vector is wanted.
	Embed []Part `json:"embed,omitempty"`
	// Schema is the JSON Schema of the answer; empty: free text.
	Schema  json.RawMessage `json:"schema,omitempty"`
	Options LLMOptions      `json:"options,omitzero"`
	// Deadline is how long one row may take from its first token's request on; 0 = none
	// but the step's timeout.
	Deadline Duration `json:"deadline,omitempty"`
	// Strict fails the whole task when one row of its chunk fails. Otherwise the
	// row's error stands in its place, and the step is flagged.
	Strict bool `json:"strict,omitempty"`
}

// Message is one turn of a conversation, in parts.
type Message struct {
	Role  string `json:"role"` // system, user or assistant
	Parts []Part `json:"parts"`
}

// Part is a piece of a text: as written in the plan, or a value. A value is
// never searched for parts again.
type Part struct {
	Text string `json:"text,omitempty"` // as written
	// Item is a value of the row: "" in a part with IsItem set is the whole item,
	// else a dotted path into it.
	IsItem bool   `json:"is_item,omitempty"`
	Item   string `json:"item,omitempty"`
	// Need is the content of an output of a needed step: of the same item where
	// both fan out over the same, else of the one task it has.
	Need   string `json:"need,omitempty"`
	Output string `json:"output,omitempty"`
	Path   string `json:"path,omitempty"` // dotted, into an output that is JSON; empty: the text as it is
}

// LLMOptions are how a model answers. Nil and zero leave it to the model, except
// MaxTokens, which has a default: a model may never end.
type LLMOptions struct {
	Context       int      `json:"num_ctx,omitempty"`    // tokens that prompt and answer must fit
	MaxTokens     int      `json:"max_tokens,omitempty"` // of the answer; 0 = DefaultMaxTokens
	Seed          *int64   `json:"seed,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"top_p,omitempty"`
	TopK          *int     `json:"top_k,omitempty"`
	RepeatPenalty *float64 `json:"repeat_penalty,omitempty"`
	Stop          []string `json:"stop,omitempty"`
	Think         *bool    `json:"think,omitempty"`
}

// DefaultMaxTokens bounds answers of steps that do not say: a long page.
const DefaultMaxTokens = 2048

// Limits of what a plan may ask of a model. The largest contexts that models
// were trained for are some millions of tokens; temperatures above 2 and
// penalties above 2 give noise, but servers take them.
const (
	MaxContext     = 16_000_000 // tokens of prompt and answer together
	MaxTemperature = 10
	MaxPenalty     = 10
	MaxTopK        = 1_000_000
	MaxSeed        = 1<<31 - 1 // every server takes 31 bits; a negative one means chance to some
	MaxStops       = 16        // texts that end an answer
	MaxSchema      = 256 << 10 // bytes of a schema as JSON
	MaxPrompt      = 1 << 20   // bytes of a step's texts as written, values not counted
)

// The roles of messages.
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
)

// Roles lists the roles of messages.
func Roles() []string { return []string{RoleSystem, RoleUser, RoleAssistant} }

// Files are the files that a task of the step leaves in its folder, by the name
// of the output they are if the plan gives them no other.
func (l *LLM) Files(chunked bool) map[string]string {
	if chunked {
		return map[string]string{OutputResults: "results.jsonl"}
	}
	answer := "answer.txt"
	if len(l.Schema) > 0 || len(l.Embed) > 0 {
		answer = "answer.json"
	}
	return map[string]string{OutputAnswer: answer, OutputResult: "result.json"}
}

// Outputs of an llm step that declares none: see Step.Outputs. A step of single
// rows has its answer by itself and with all that is known of it; a step of
// chunks has one line for each row.
const (
	OutputAnswer  = "answer"  // answer.json with a schema and of a vector, answer.txt without
	OutputResult  = "result"  // result.json: a RowResult
	OutputResults = "results" // results.jsonl: a RowResult on each line
)

// RowResult is what became of one row: an answer or an error of its own.
type RowResult struct {
	Task    TaskID          `json:"task"`
	Index   int             `json:"index"` // of its task; -1: the step does not fan out
	Row     int             `json:"row"`   // within its task, from 0
	Item    json.RawMessage `json:"item,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"` // a JSON string without a schema, the value with one
	Vector  []float32       `json:"vector,omitempty"`
	Error   *RowError       `json:"error,omitempty"`
	Model   string          `json:"model,omitempty"`
	Digest  string          `json:"digest,omitempty"` // of the model's content
	Worker  string          `json:"worker,omitempty"`
	Seed    *int64          `json:"seed,omitempty"`
	Options LLMOptions      `json:"options,omitzero"` // as sent
	// PromptTokens and Tokens are what the server counted.
	PromptTokens int      `json:"prompt_tokens"`
	Tokens       int      `json:"tokens"`
	Took         Duration `json:"took"`                  // of the request, queueing at the server included
	First        Duration `json:"first_token,omitempty"` // until the first token
	Tries        int      `json:"tries"`                 // requests it took, a repair included
	Simulated    bool     `json:"simulated,omitempty"`
}

// RowError is why a row has no answer.
type RowError struct {
	Code   string `json:"code"` // of the model server's fault, or answer.schema
	Text   string `json:"text"`
	Answer string `json:"answer,omitempty"` // what there was of one
}

// RowTotals sums the rows of one task.
type RowTotals struct {
	Rows   int            `json:"rows"`
	Failed int            `json:"failed,omitempty"`
	Errors map[string]int `json:"errors,omitempty"` // failed rows by code
	First  string         `json:"first,omitempty"`  // the first error, in words
	// Compared are the answers that could be told apart, Answers how often those are
	// there that are the most often, by a hash. A choice out of a few, or a word, may
	// well be the same for many rows, and is not compared.
	Compared     int            `json:"compared,omitempty"`
	Answers      map[string]int `json:"answers,omitempty"`
	PromptTokens int64          `json:"prompt_tokens"`
	Tokens       int64          `json:"tokens"`
	Model        string         `json:"model,omitempty"`
	Digest       string         `json:"digest,omitempty"`
}
