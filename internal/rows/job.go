package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"candor"
	"candor/internal/clock"
	"candor/internal/runtime"
)

// Job is one attempt at a task whose step has an LLM.
type Job struct {
	Task  candor.TaskID
	Index int             // of the task within its step; -1: the step does not fan out
	Item  json.RawMessage // of the task: a row, or with Chunk a list of rows
	Chunk bool
	// Step is the step that the task is of; its LLM is set.
	Step   *candor.Step
	Worker string
	// Need says where an output of a needed step lies, for this task.
	Need func(step, output string) (path string, err error)
	// Dir is an existing folder for the results and for nothing else.
	Dir    string
	Lender Lender
	Clock  clock.Clock
	// Tell hears of progress, from one goroutine at a time.
	Tell func(candor.Progress)
	// Hold returns when the card is cool enough for the next row, or with ctx's error.
	Hold func(ctx context.Context) error
	// Parallel is how many rows of a chunk are to be under way just now.
	Parallel func() int
}

// Want says which model is to answer.
type Want struct {
	Model   string
	Accept  []string // others that may answer where they are loaded and Model is not
	Context int      // least number of tokens it must be loaded with; 0: any
}

// Lender lends slots of a model server.
type Lender interface {
	// Borrow waits for a slot; tell hears from the calling goroutine that it
	// waits. It fails with a *runtime.Error when waiting is of no use, and with
	// the context's error when the caller leaves.
	Borrow(ctx context.Context, w Want, tell func(candor.Progress)) (Loan, error)
}

// Loan is one slot of a model server, with one model.
type Loan struct {
	Server runtime.Server
	Model  string // as the server lists it
	Digest string
	// Settings are those the model is loaded with: to be in every request.
	Settings  runtime.Settings
	Simulated bool
	// Return gives the slot back, with what became of the request.
	Return func(error)
}

// Error is why an attempt has no results: how it ends, and the reason. Any
// other error of Run is the context's.
type Error struct {
	Outcome candor.AttemptOutcome
	Reason  *candor.Reason
}

func (e *Error) Error() string { return e.Reason.Text }

// items are the rows of the job.
func (j Job) items() ([]json.RawMessage, error) {
	if !j.Chunk {
		return []json.RawMessage{j.Item}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(j.Item, &list); err != nil {
		return nil, fmt.Errorf("its item is no list of rows: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("its item is a list without rows")
	}
	return list, nil
}

// seed is the one of a row whose step names none: a run of the same task again
// gives the same answers. It fits the 31 bits that every server takes.
func (j Job) seed(row int) int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d/%d", int64(j.Task), row)
	return int64(h.Sum64() >> 33)
}
