package runtime

import (
	"encoding/json"
	"time"
)

// Request asks a model to answer a conversation.
type Request struct {
	Model string
	// Digest is the content that was loaded; an answer of another one is
	// CodeNotThisModel. Empty: whatever has the name.
	Digest string
	// Settings are those of the load; see the package's invariants.
	Settings Settings
	Messages []Message
	// Schema is a JSON Schema that the server's grammar enforces; empty: free text.
	Schema json.RawMessage
	// MaxTokens ends the answer; it must be said, since a model may never end.
	MaxTokens int
	Sampling  Sampling
	// Think allows (true) or forbids (false) reasoning before the answer where
	// the model can; nil: as the model does by itself.
	Think    *bool
	Patience Patience
}

// Message is one turn of a conversation.
type Message struct {
	Role string `json:"role"` // system, user or assistant
	Text string `json:"content"`
}

// Sampling says how tokens are chosen. Nil and empty leave it to the model.
type Sampling struct {
	Seed          *int64
	Temperature   *float64
	TopP          *float64
	TopK          *int
	RepeatPenalty *float64
	Stop          []string
}

// Patience bounds silence, not work: an answer may take as long as its context
// allows while tokens come. Zero values mean the adapter's own.
type Patience struct {
	First time.Duration // until the first token: queueing and loading included
	Next  time.Duration // between tokens
}

// Or takes what p leaves out from d.
func (p Patience) Or(d Patience) Patience {
	if p.First <= 0 {
		p.First = d.First
	}
	if p.Next <= 0 {
		p.Next = d.Next
	}
	return p
}

// Chunk is a piece of an answer, usually one token.
type Chunk struct {
	Text     string
	Thinking string
}

// End is why an answer ended.
type End string

// The ends of an answer. None is an answer that was not finished.
const (
	EndNone   End = ""
	EndStop   End = "stop"   // by the model itself
	EndLength End = "length" // by MaxTokens or by a full context
)

// Answer is what a model said, with the numbers to judge it by.
type Answer struct {
	Model    string `json:"model"`
	Digest   string `json:"digest,omitempty"` // of the content that answered
	Text     string `json:"text"`
	Thinking string `json:"thinking,omitempty"`
	End      End    `json:"end"`
	Seed     *int64 `json:"seed,omitempty"`
	// PromptTokens are those the server says it read, Tokens those it wrote. In
	// an unfinished answer Tokens counts the pieces that arrived.
	PromptTokens int   `json:"prompt_tokens"`
	Tokens       int   `json:"tokens"`
	Times        Times `json:"times"`
}

// Times say where an answer's time went, in nanoseconds. Total and FirstToken
// are measured here, the others by the server.
type Times struct {
	Total      time.Duration `json:"total"`
	FirstToken time.Duration `json:"first_token"`
	Load       time.Duration `json:"load"`
	Prompt     time.Duration `json:"prompt"`
	Generate   time.Duration `json:"generate"`
}

// Rate is tokens per second while generating, 0 when nothing was measured.
func (a Answer) Rate() float64 {
	if a.Times.Generate <= 0 {
		return 0
	}
	return float64(a.Tokens) / a.Times.Generate.Seconds()
}
