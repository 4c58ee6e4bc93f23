package candor

import (
	"math"
	"unicode/utf8"
)

// check says which option is out of its range.
func (o LLMOptions) check() error {
	if o.MaxTokens < 0 || o.MaxTokens > MaxContext {
		return Errorf(CodeInvalid, "max_tokens %d is not within 0 and %d", o.MaxTokens, MaxContext)
	}
	if o.Context > 0 && o.MaxTokens >= o.Context {
		return Errorf(CodeInvalid, "num_ctx %d has to hold the prompt and the answer, and max_tokens is %d", o.Context, o.MaxTokens)
	}
	if o.TopK != nil && (*o.TopK < 0 || *o.TopK > MaxTopK) {
		return Errorf(CodeInvalid, "top_k %d is not within 0 and %d", *o.TopK, MaxTopK)
	}
	if o.Seed != nil && (*o.Seed < 0 || *o.Seed > MaxSeed) {
		return Errorf(CodeInvalid, "seed %d is not within 0 and %d", *o.Seed, MaxSeed)
	}
	for _, n := range []struct {
		name  string
		value *float64
		most  float64
	}{{"temperature", o.Temperature, MaxTemperature}, {"top_p", o.TopP, 1}, {"repeat_penalty", o.RepeatPenalty, MaxPenalty}} {
		if n.value != nil && (math.IsNaN(*n.value) || *n.value < 0 || *n.value > n.most) {
			return Errorf(CodeInvalid, "%s %v is not within 0 and %v", n.name, *n.value, n.most)
		}
	}
	if len(o.Stop) > MaxStops {
		return Errorf(CodeInvalid, "%d texts that end an answer are more than %d", len(o.Stop), MaxStops)
	}
	for _, text := range o.Stop {
		if text == "" || len(text) > MaxText || !utf8.ValidString(text) {
			return Errorf(CodeInvalid, "a text that ends an answer is 1 to %d bytes of UTF-8: %q", MaxText, clip(text))
		}
	}
	return nil
}
