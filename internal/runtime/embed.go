package runtime

import (
	"fmt"
	"time"
)

// EmbedRequest asks for the vectors of texts.
type EmbedRequest struct {
	Model    string
	Digest   string
	Settings Settings
	Texts    []string
	// Patience.First bounds the whole request: it has no tokens in between.
	Patience Patience
}

// Embedding is the vectors of an EmbedRequest's texts, in their order.
type Embedding struct {
	Model        string        `json:"model"`
	Digest       string        `json:"digest,omitempty"`
	Vectors      [][]float32   `json:"vectors"`
	PromptTokens int           `json:"prompt_tokens"`
	Took         time.Duration `json:"took"` // nanoseconds
}

// Check refuses a request that would let the server choose what must be said.
func (r EmbedRequest) Check() error {
	switch {
	case r.Model == "":
		return Refuse("embed: no model is named")
	case r.Settings.Context <= 0:
		return Refuse("embed with %s: no context length is given", r.Model)
	case len(r.Texts) == 0:
		return Refuse("embed with %s: no text is given", r.Model)
	}
	return nil
}

// Longest is the length of the longest text in bytes.
func (r EmbedRequest) Longest() int {
	n := 0
	for _, t := range r.Texts {
		n = max(n, len(t))
	}
	return n
}

// Whole guards an embedding: one vector for each text, all of one length.
func (e Embedding) Whole(texts int) error {
	if len(e.Vectors) != texts {
		return &Error{Code: CodeIncomplete, Text: fmt.Sprintf("%s returned %d vectors for %d texts", e.Model, len(e.Vectors), texts),
			Detail: map[string]any{DetailModel: e.Model, DetailActual: len(e.Vectors), DetailWanted: texts}}
	}
	for i, v := range e.Vectors {
		if want := len(e.Vectors[0]); len(v) == 0 || len(v) != want {
			return &Error{Code: CodeIncomplete, Text: fmt.Sprintf("%s returned a vector of %d numbers for text %d, and of %d for the first", e.Model, len(v), i+1, want),
				Detail: map[string]any{DetailModel: e.Model, DetailActual: len(v), DetailWanted: want}}
		}
	}
	return nil
}
