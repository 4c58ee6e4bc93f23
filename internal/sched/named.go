package sched

import "candor"

// Named tells by what names people know a batch and a task: the plan's, and the
// task's in it. Empty is what has left memory, or never was.
func (s *State) Named(batch candor.BatchID, task candor.TaskID) (plan, name string) {
	if b := s.batches[batch]; b != nil {
		plan = b.rec.Name
	}
	if t := s.tasks.find(task); task != 0 && t != nil {
		name = t.name()
	}
	return plan, name
}
