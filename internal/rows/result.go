package rows

import (
	"bytes"
	"encoding/json"

	"candor"
	"candor/internal/runtime"
)

// Limits of what a result keeps, in bytes.
const (
	maxKept = 64 << 10 // of an answer that is none
	maxText = 2 << 10  // of an error
)

// row is what became of one, with what its result does not say.
type row struct {
	candor.RowResult
	text  string         // of the answer, as the server sent it
	fault *runtime.Error // of a row that failed by a guard or the server's word; else nil
	final bool           // no further try can help
}

// fail makes the row an error.
func (r *row) fail(code, text, answer string) {
	r.Answer, r.Vector = nil, nil
	r.Error = &candor.RowError{Code: code, Text: clip(text, maxText), Answer: clip(answer, maxKept)}
}

// failBy makes the row the error that a guard or the server gave.
func (r *row) failBy(e *runtime.Error, answer string) {
	r.fault = e
	r.fail(string(e.Code), e.Error(), answer)
}

// sum adds the rows up. Rows that had no turn have no number of tries and no error.
func sum(all []*row) candor.RowTotals {
	var t candor.RowTotals
	for _, r := range all {
		if r == nil {
			continue
		}
		t.Rows++
		t.PromptTokens += int64(r.PromptTokens)
		t.Tokens += int64(r.Tokens)
		if t.Model == "" {
			t.Model, t.Digest = r.Model, r.Digest
		}
		if r.Error == nil {
			continue
		}
		t.Failed++
		if t.Errors == nil {
			t.Errors, t.First = map[string]int{}, r.Error.Text
		}
		t.Errors[r.Error.Code]++
	}
	return t
}

// marshal is JSON on one line without escapes for the sake of HTML, and without
// a line's end.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
