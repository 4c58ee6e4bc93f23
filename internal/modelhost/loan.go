package modelhost

import (
	"context"

	"candor"
	"candor/internal/runtime"
)

// Want says which model is to answer.
type Want struct {
	Model string
	// Accept are others that may answer, where they are loaded and Model is not.
	Accept []string
	// Context is the least number of tokens the model must be loaded with; 0: any.
	Context int
}

// Outcome is what became of a loan, as far as the server is concerned.
type Outcome string

// The outcomes of a loan.
const (
	Served  Outcome = "served"  // it answered, whatever the answer was worth
	Busy    Outcome = "busy"    // it took no more requests: 429 or 503
	Faulted Outcome = "faulted" // it failed
	Unused  Outcome = "unused"  // it was not asked
)

// Loan is one slot of the server, with one model.
type Loan struct {
	// Server is the model server. Requests through it end with the reason when
	// the server is given up.
	Server runtime.Server
	Model  string // as the server lists it
	Digest string
	// Settings are those that the model is loaded with: to be in every request.
	Settings  runtime.Settings
	URL       string // where an OpenAI client finds it, for commands
	Simulated bool
}

// Return gives the slot back. Only the first call counts.
func (l *Loan) Return(outcome Outcome) {}

// Borrow waits for a slot with one of the models wanted. tell, which may be nil,
// hears from the calling goroutine that it waits, with progress of kind "slot".
// It fails with a *runtime.Error at once when no such model is loaded here, and
// with the context's error when the caller leaves.
func (h *Host) Borrow(ctx context.Context, w Want, tell func(candor.Progress)) (*Loan, error) {
	return nil, ctx.Err()
}
