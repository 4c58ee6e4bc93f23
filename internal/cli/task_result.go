package cli

import (
	"fmt"

	"candor"
)

// rowsText sums rows of a task: 18 of 20 answered; 2 failed: answer.schema 2.
func rowsText(r candor.RowTotals) string {
	text := fmt.Sprintf("%d of %d answered", r.Rows-r.Failed, r.Rows)
	if r.Failed > 0 {
		text += fmt.Sprintf("; %d failed: %s", r.Failed, sortedCounts(r.Errors))
	}
	return text
}

// results are what the last attempt says of its rows, or of its order.
func (p page) results(attempts []candor.Attempt) {
	if len(attempts) == 0 {
		return
	}
	last := attempts[len(attempts)-1]
	if r := last.Rows; r != nil {
		p.fact("rows", rowsText(*r))
		if r.First != "" {
			p.fact("error", r.First)
		}
		p.fact("tokens", fmt.Sprintf("%d read, %d written", r.PromptTokens, r.Tokens))
		if r.Digest != "" {
			p.fact("answered", fmt.Sprintf("by %s, digest %.12s", r.Model, r.Digest))
		}
	}
	if o := last.Order; o != nil {
		p.fact("before", servedNames(o.Before))
		p.fact("after", servedNames(o.After))
	}
}
