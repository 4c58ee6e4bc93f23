package sched

import (
	"candor"
)

// lookFirst refuses a claim with results of tasks that are not in memory, as
// long as nobody has looked for them in the store. Their batch has ended, which
// may well be because this very result was recorded, and only the answer to its
// delivery was lost.
func (s *State) lookFirst(c *Claim) error {
	if c.Looked {
		return nil
	}
	for i := range c.Req.Results {
		if id := c.Req.Results[i].Task; s.tasks.find(id) == nil {
			return candor.Errorf(candor.CodeNotFound, "task %s is not in memory", id)
		}
	}
	return nil
}

// stored is what the store has of a task; nil: nothing.
func stored(c *Claim, id candor.TaskID) *candor.Task {
	for i := range c.Stored {
		if c.Stored[i].ID == id {
			return &c.Stored[i]
		}
	}
	return nil
}

// resultOfStored judges a result of a task that has left memory. Its batch has
// ended, so nothing is left to be decided: it is on record, or comes too late.
func (s *State) resultOfStored(t *candor.Task, w *worker, r *candor.Result) (candor.ResultVerdict, string) {
	switch {
	case t == nil && s.meta.gave(r.Lease):
		return s.fenced(w, r, nil, "its batch was removed before this result came")
	case t == nil:
		return s.unknown(w, r)
	case onRecord(t, r.Lease):
		return candor.ResultRepeated, recordedBefore
	default:
		return s.fenced(w, r, nil, "its batch has ended, and the task is "+string(t.State)+" without it")
	}
}

// onRecord tells whether the store has the result of a lease; see task.heard.
func onRecord(t *candor.Task, lease int64) bool {
	if t.Last != nil && t.Last.Lease == lease {
		return t.Last.Outcome != candor.AttemptLost
	}
	return t.State == candor.TaskComplete && t.Lease == lease
}
