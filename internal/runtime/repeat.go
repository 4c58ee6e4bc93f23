package runtime

import (
	"fmt"
	"strings"
)

// A text runs away when it ends in one unit of at most repeatUnit bytes, at
// least repeatTimes times and over at least repeatBytes in all: longer than
// any rule of dashes in a table, shorter than a screen of nonsense.
const (
	repeatUnit  = 64
	repeatTimes = 24
	repeatBytes = 512
)

// RepeatWindow is how much of a text's end is enough for Repeated, in bytes.
const RepeatWindow = repeatUnit * repeatTimes

// Repeated finds the shortest unit that the text ends in over and over, and how
// often. It returns "" and 0 when the text does not run away.
func Repeated(text string) (unit string, times int) {
	for n := 1; n <= repeatUnit && n <= len(text); n++ {
		// The text ends in a period of n for as long as each byte equals the one
		// n before it.
		same := n
		for i := len(text) - 1; i >= n && text[i] == text[i-n]; i-- {
			same++
		}
		if same >= repeatBytes && same/n >= repeatTimes {
			return text[len(text)-n:], same / n
		}
	}
	return "", 0
}

// NoRepeat guards against an answer that says one thing over and over.
func NoRepeat(model, text string, tokens int) error {
	unit, times := Repeated(text)
	if times == 0 {
		return nil
	}
	return &Error{Code: CodeRunaway, Text: fmt.Sprintf("model %s repeats %q: %d times at the end of its answer, after %d tokens", model, unit, times, tokens),
		Detail: map[string]any{DetailModel: model, DetailRule: RuleRepeat, DetailActual: times, DetailSaid: unit, DetailTokens: tokens}}
}

// CutForRepeat says that the server itself ended an answer that repeated one
// piece of text.
func CutForRepeat(model, unit string, tokens int) *Error {
	return &Error{Code: CodeRunaway, Text: fmt.Sprintf("the server broke off the answer of %s after %d tokens, since it repeated %q", model, tokens, unit),
		Detail: map[string]any{DetailModel: model, DetailRule: RuleRepeat, DetailSaid: unit, DetailTokens: tokens}}
}

// serverRepeats is how many equal pieces in a row make Ollama end an answer by
// itself (more than 30, read in source and observed).
const serverRepeats = 30

// CutOff says why a whole stream ended without the end of the answer: a server
// may do so when the model repeats one token.
func CutOff(model, said string, tokens int) error {
	for n := 1; n <= min(len(said)/serverRepeats, RepeatWindow/serverRepeats); n++ {
		unit := said[len(said)-n:]
		if strings.HasSuffix(said, strings.Repeat(unit, serverRepeats)) {
			return CutForRepeat(model, unit, tokens)
		}
	}
	return Incomplete(model, tokens)
}
