package rows

import (
	"context"
	"errors"
	"fmt"

	"candor"
	"candor/internal/runtime"
)

// begin is a row before its first request.
func (r *run) begin(i int) *row {
	w := &row{RowResult: candor.RowResult{
		Task: r.Task, Index: r.Index, Row: i, Item: r.items[i], Worker: r.Worker,
		Model: candor.ModelName(r.Step.Model), Options: r.Step.LLM.Options,
	}}
	o := &w.Options
	o.Context = r.Step.Context
	if len(r.Step.LLM.Embed) > 0 {
		return w
	}
	if o.MaxTokens == 0 {
		o.MaxTokens = candor.DefaultMaxTokens
	}
	if o.Seed == nil {
		seed := r.seed(i)
		o.Seed = &seed
	}
	w.Seed = o.Seed
	return w
}

// row sees one row through to its answer or its error. An error that it returns
// ends the attempt, and is no row's.
func (r *run) row(ctx context.Context, i int) (*row, error) {
	w := r.begin(i)
	p, err := render(r.Step.LLM, r.items[i], r.needs)
	if err != nil {
		w.failBy(runtime.Refuse("the prompt could not be made: %v", err), "")
		w.final = true
		return w, nil
	}
	var t trouble
	var first *flaw // the first answer, when it was none
	for w.Error == nil {
		before := w.RowResult
		s, err := r.ask(ctx, w, p)
		if err != nil {
			if err := r.bear(ctx, w, &t, s.text, err); err != nil {
				return nil, err
			}
			if w.Error == nil { // asked again: what came to nothing counts for nothing
				w.PromptTokens, w.Tokens, w.Took, w.First = before.PromptTokens, before.Tokens, before.Took, before.First
			} else if first != nil {
				first.blame(w, "asked again: "+w.Error.Text)
			}
			continue
		}
		if w.Vector = s.vector; s.vector != nil {
			return w, nil
		}
		answer, complaint := r.form.read(s.text)
		if complaint == "" {
			w.Answer = answer
			w.text = s.text
			return w, nil
		}
		if first != nil {
			first.blame(w, "asked again, "+complaint)
			return w, nil
		}
		first = &flaw{s.text, complaint}
		p.messages = append(p.messages, first.turns()...)
	}
	return w, nil
}

// flaw is an answer that is not the JSON that was asked for.
type flaw struct{ answer, complaint string }

// turns show the model its answer and what is wrong with it.
func (f *flaw) turns() []runtime.Message {
	return []runtime.Message{
		{Role: candor.RoleAssistant, Text: clip(f.answer, maxKept)},
		{Role: candor.RoleUser, Text: fmt.Sprintf("That answer cannot be used: %s. "+
			"Answer again with the JSON alone, by the schema, and nothing before or after it.", f.complaint)},
	}
}

// blame makes the row an error that keeps its first answer.
func (f *flaw) blame(w *row, then string) {
	w.fault = &runtime.Error{Code: runtime.Code(candor.ReasonAnswerSchema)}
	w.fail(string(candor.ReasonAnswerSchema), fmt.Sprintf("the answer is not the JSON that was asked for: %s; %s", f.complaint, then), f.answer)
}

// errPassedOver ends rows that are under way when their attempt has ended.
var errPassedOver = errors.New("the attempt has ended")
