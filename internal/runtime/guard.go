package runtime

import (
	"fmt"

	"candor"
)

// The rules of CodeRunaway, in Detail[DetailRule].
const (
	RuleLimit    = "limit"    // MaxTokens were written
	RuleContext  = "context"  // the context is full
	RuleDeadline = "deadline" // the caller's time ran out while tokens came
	RuleRepeat   = "repeat"   // one piece of text over and over
)

// SameContent guards a model's identity. An empty digest on either side is no
// claim, and passes.
func SameContent(model, wanted, actual string) error {
	if wanted == "" || actual == "" || wanted == actual {
		return nil
	}
	return &Error{Code: CodeNotThisModel, Text: fmt.Sprintf("model %s is content %s, not %s that was asked for", model, short(actual), short(wanted)),
		Detail: map[string]any{DetailModel: model, DetailWanted: wanted, DetailActual: actual}}
}

// short is enough of a digest for people.
func short(digest string) string { return digest[:min(12, len(digest))] }

// Fits guards a load before it is ordered: a server may evict everything else
// before it finds out that a model does not fit. need and free are bytes.
func Fits(model string, need, free int64) error {
	if need <= free {
		return nil
	}
	return &Error{Code: CodeTooLarge, Text: fmt.Sprintf("model %s needs %s, %s are free", model, candor.Bytes(need), candor.Bytes(free)),
		Detail: map[string]any{DetailModel: model, DetailWanted: need, DetailActual: free}}
}

// OnGPU guards against a server's silent choice of the CPU: all of a model's
// size lies in VRAM, or the load failed. A size of 0 is not a model on a GPU.
func OnGPU(r Resident) error {
	if r.VRAM >= r.Size && r.Size > 0 {
		return nil
	}
	share := 0.0
	if r.Size > 0 {
		share = 100 * float64(r.VRAM) / float64(r.Size)
	}
	return &Error{Code: CodeOnCPU, Text: fmt.Sprintf("model %s has %s of %s on the GPU (%.0f %%), the rest runs on the CPU", r.Model, candor.Bytes(r.VRAM), candor.Bytes(r.Size), share),
		Detail: map[string]any{DetailModel: r.Model, DetailVRAM: r.VRAM, DetailSize: r.Size}}
}

// AtUsualRate guards against what a server's account of its memory hides: a
// model that writes at less than share (0 to 1) of its usual tokens per second
// here. Without a usual rate it passes.
func AtUsualRate(model string, rate, usual, share float64) error {
	if usual <= 0 || rate >= usual*share {
		return nil
	}
	return &Error{Code: CodeOnCPU, Text: fmt.Sprintf("model %s writes %.3g tokens per second instead of %.3g", model, rate, usual),
		Detail: map[string]any{DetailModel: model, DetailActual: rate, DetailWanted: usual}}
}

// WholeContext guards against a server that silently lowers the context.
func WholeContext(r Resident, wanted int) error {
	if r.Context >= wanted {
		return nil
	}
	return &Error{Code: CodeContextShort, Text: fmt.Sprintf("model %s was loaded with a context of %d tokens, not %d", r.Model, r.Context, wanted),
		Detail: map[string]any{DetailModel: r.Model, DetailActual: r.Context, DetailWanted: wanted}}
}

// Untruncated guards a prompt: a server that cuts what does not fit reads as
// many tokens as the context holds. sent is the prompt's length in bytes; no
// vocabulary spends more than a token on each, so it bounds what was lost.
func Untruncated(model string, read, context, sent int) error {
	if read < context {
		return nil
	}
	return Truncated(model, read, context, sent)
}

// Truncated says that a prompt does not fit; read is 0 where the server
// refused it whole.
func Truncated(model string, read, context, sent int) *Error {
	text := fmt.Sprintf("truncated: %s read %d tokens, all that its context of %d holds, of a prompt of %d bytes", model, read, context, sent)
	if read == 0 {
		text = fmt.Sprintf("a prompt of %d bytes does not fit the context of %s, %d tokens", sent, model, context)
	}
	return &Error{Code: CodeTruncated, Text: text,
		Detail: map[string]any{DetailModel: model, DetailActual: read, DetailWanted: context, DetailSize: sent}}
}

// TooLong says that the server refused a prompt whole and counted it: tokens of
// sent bytes, for a context of context tokens.
func TooLong(model string, tokens, context, sent int) *Error {
	return &Error{Code: CodeTruncated, Text: fmt.Sprintf("a prompt of %d tokens (%d bytes) does not fit the context of %s, %d tokens", tokens, sent, model, context),
		Detail: map[string]any{DetailModel: model, DetailActual: tokens, DetailWanted: context, DetailSize: sent}}
}

// Ended guards against an answer that was cut rather than ended.
func Ended(a Answer, maxTokens, context int) error {
	switch {
	case a.End == EndStop:
		return nil
	case a.End == EndNone:
		return Incomplete(a.Model, a.Tokens)
	case a.Tokens >= maxTokens:
		return &Error{Code: CodeRunaway, Text: fmt.Sprintf("the answer of %s was cut at its limit of %d tokens", a.Model, maxTokens),
			Detail: map[string]any{DetailModel: a.Model, DetailRule: RuleLimit, DetailTokens: a.Tokens, DetailWanted: maxTokens}}
	default:
		return &Error{Code: CodeRunaway, Text: fmt.Sprintf("the answer of %s filled its context: %d tokens read, %d written, %d fit", a.Model, a.PromptTokens, a.Tokens, context),
			Detail: map[string]any{DetailModel: a.Model, DetailRule: RuleContext, DetailTokens: a.Tokens, DetailActual: a.PromptTokens, DetailWanted: context}}
	}
}

// Judge asks every guard that needs nothing but a request and its answer, in
// the order in which a failure explains the next.
func Judge(r Request, a Answer) error {
	if err := SameContent(r.Model, r.Digest, a.Digest); err != nil {
		return err
	}
	if err := Untruncated(r.Model, a.PromptTokens, r.Settings.Context, r.Bytes()); err != nil {
		return err
	}
	if err := NoRepeat(r.Model, a.Text, a.Tokens); err != nil {
		return err
	}
	return Ended(a, r.MaxTokens, r.Settings.Context)
}

// Bytes is the length of all messages.
func (r Request) Bytes() int {
	n := 0
	for _, m := range r.Messages {
		n += len(m.Text)
	}
	return n
}

// Check refuses a request that would let the server choose what must be said.
func (r Request) Check() error {
	switch {
	case r.Model == "":
		return Refuse("generate: no model is named")
	case r.Settings.Context <= 0:
		return Refuse("generate with %s: no context length is given, so the server would cut the prompt to its own", r.Model)
	case r.MaxTokens <= 0:
		return Refuse("generate with %s: no token limit is given, so the answer may never end", r.Model)
	case len(r.Messages) == 0:
		return Refuse("generate with %s: no message is given, which would only load the model", r.Model)
	}
	return nil
}
