package sched

import (
	"fmt"

	"candor"
)

// A pause goes when what it names is no more: nobody could name it to resume it.

// dropPauses removes the pauses of which why says something, and tells of each.
func (s *State) dropPauses(why func(candor.Pause) string) {
	var texts []string
	kept := make([]candor.Pause, 0, len(s.pauses)) // a new list: answers point into the former one
	for _, p := range s.pauses {
		if text := why(p); text != "" {
			texts = append(texts, text)
			continue
		}
		kept = append(kept, p)
	}
	if len(texts) == 0 {
		return
	}
	s.pauses = kept
	for _, text := range texts {
		s.changePauses(candor.EventResumed, text)
	}
}

// dropsPause tells of a pause that ends with a batch; nothing of any other.
func (b *batch) dropsPause(p candor.Pause, why string) string {
	if p.Scope != "batch" || p.Target != b.rec.ID.String() {
		return ""
	}
	return sayDropped(p, why)
}

// orphaned tells of a pause of a batch that ended before its pause went with it:
// every batch that has not ended is in memory when a brain starts.
func (s *State) orphaned(p candor.Pause) string {
	if p.Scope != "batch" || s.pausedBatch(p) != nil {
		return ""
	}
	return sayDropped(p, "it has ended")
}

func sayDropped(p candor.Pause, why string) string {
	return fmt.Sprintf("%s is not paused any more: %s", sayScope(p), why)
}

// pausedBatch is the batch in memory that a pause names, or nil.
func (s *State) pausedBatch(p candor.Pause) *batch {
	if p.Scope != "batch" {
		return nil
	}
	id, err := candor.ParseBatchID(p.Target)
	if err != nil {
		return nil
	}
	return s.batches[id]
}
