package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"candor"
	"candor/internal/runtime"
)

// said is what one request brought.
type said struct {
	text   string
	vector []float32
}

// ask borrows a slot and sends the row's prompt once. An error is one of a
// loan, of the server or of a guard; what there was of an answer comes with it.
func (r *run) ask(ctx context.Context, w *row, p prompt) (said, error) {
	if err := r.Hold(ctx); err != nil {
		return said{}, err
	}
	want := Want{Model: r.Step.Model, Accept: r.Step.Accept, Context: r.Step.Context}
	loan, err := r.Lender.Borrow(ctx, want, r.tell.waits)
	if err != nil {
		return said{}, err
	}
	defer r.tell.asks()()
	w.Tries++
	w.Model, w.Digest, w.Simulated = candor.ModelName(loan.Model), loan.Digest, loan.Simulated
	w.Options.Context = loan.Settings.Context
	within, cancel := r.deadline(ctx, w)
	defer cancel()
	began := r.Clock.Now()
	var s said
	if len(r.Step.LLM.Embed) > 0 {
		s.vector, err = r.embed(within, w, loan, p.embed)
	} else {
		s.text, err = r.generate(within, w, loan, p.messages)
	}
	took := r.Clock.Now().Sub(began)
	w.Took += candor.Duration(took)
	if errors.Is(context.Cause(within), errDeadline) {
		err = r.overdue(ctx, loan, took, err)
	}
	loan.Return(err)
	return s, err
}

// errDeadline is the cause with which a row's time ends. Adapters know it as
// the end of their caller's time.
var errDeadline = fmt.Errorf("the row's time is over: %w", context.DeadlineExceeded)

// deadline ends ctx when the row has had its time. Waiting for slots is not
// part of it.
func (r *run) deadline(ctx context.Context, w *row) (context.Context, context.CancelFunc) {
	limit := r.Step.LLM.Deadline.D()
	if limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, max(0, limit-w.Took.D()), errDeadline)
}

// quiet is that a row's time ended before a token of its answer, though the
// server answers: it may hang, or the row may be too long for its time.
type quiet struct{ fault *runtime.Error }

func (q quiet) Error() string { return q.fault.Error() }
func (q quiet) Unwrap() error { return q.fault }

// overdue makes the end of a row's time what it means. With tokens it is an
// answer without end, as the adapter says; without, it asks the server.
func (r *run) overdue(ctx context.Context, loan Loan, took time.Duration, err error) error {
	e, ok := errors.AsType[*runtime.Error](err)
	if err == nil || ok && e.Code != runtime.CodeHung {
		return err
	}
	if !ok {
		e = runtime.Hung(loan.Model, took, 0)
		e.Cause = err
	}
	if !loan.Server.Health(ctx).Answers.OK {
		return e
	}
	return quiet{e}
}

func (r *run) embed(ctx context.Context, w *row, loan Loan, text string) ([]float32, error) {
	req := runtime.EmbedRequest{Model: loan.Model, Digest: loan.Digest, Settings: loan.Settings, Texts: []string{text}}
	e, err := loan.Server.Embed(ctx, req)
	w.PromptTokens += e.PromptTokens
	w.Digest = or(e.Digest, w.Digest)
	if err != nil {
		return nil, err
	}
	if err := runtime.Untruncated(req.Model, e.PromptTokens, req.Settings.Context, len(text)); err != nil {
		return nil, err
	}
	return e.Vectors[0], nil
}

func (r *run) generate(ctx context.Context, w *row, loan Loan, messages []runtime.Message) (string, error) {
	o := &w.Options
	req := runtime.Request{
		Model: loan.Model, Digest: loan.Digest, Settings: loan.Settings, Messages: messages, Schema: r.Step.LLM.Schema,
		MaxTokens: o.MaxTokens, Think: o.Think,
		Sampling: runtime.Sampling{
			Seed: o.Seed, Temperature: o.Temperature, TopP: o.TopP, TopK: o.TopK, RepeatPenalty: o.RepeatPenalty, Stop: o.Stop,
		},
	}
	a, err := loan.Server.Generate(ctx, req, func(runtime.Chunk) { r.tell.token() })
	w.PromptTokens += a.PromptTokens
	w.Tokens += a.Tokens
	w.Digest = or(a.Digest, w.Digest)
	if w.First == 0 {
		w.First = candor.Duration(a.Times.FirstToken)
	}
	if err == nil {
		err = runtime.Judge(req, a)
	}
	return a.Text, withRoom(err, a, req)
}

// withRoom adds to an answer that filled its context how large a one the prompt
// and the longest answer need.
func withRoom(err error, a runtime.Answer, req runtime.Request) error {
	e, ok := errors.AsType[*runtime.Error](err)
	if !ok || e.Code != runtime.CodeRunaway || e.Detail[runtime.DetailRule] != runtime.RuleContext {
		return err
	}
	more := *e
	more.Text += fmt.Sprintf("; with max_tokens %d it needs num_ctx %d", req.MaxTokens, a.PromptTokens+req.MaxTokens)
	return &more
}
