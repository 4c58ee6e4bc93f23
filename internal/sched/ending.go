package sched

import (
	"fmt"

	"candor"
)

// ending lists the tasks of a retry's target whose attempts are being ended, and
// which would be cancelled once their worker confirms it.
func ending(of target, req candor.ChangeRequest) []*task {
	switch {
	case of.task != nil && of.task.ending():
		return []*task{of.task}
	case of.batch == nil || req.Failed:
		return nil
	}
	var out []*task
	for t := range of.batch.eachTask() {
		if t.ending() && (req.Class == "" || t.step.spec.Class == req.Class) {
			out = append(out, t)
		}
	}
	return out
}

func (t *task) ending() bool {
	return t.state == processing && (t.run.abort == candor.ReasonCancelled || t.run.abort == candor.ReasonExpired)
}

// keep takes the order to end an attempt back. If its worker has not heard of
// it, the attempt goes on; if it has, the task is queued again once nothing of
// the attempt is left, like one whose worker handed it back.
func (s *State) keep(t *task) {
	t.run.abort, t.run.abortText, t.run.abortAt, t.run.abortSent = "", "", fromMicro(0), false
	s.renew(t)
	s.touch(t)
}

// sayRetried is what a retry does, in words.
func sayRetried(name string, queued, kept int) string {
	again := fmt.Sprintf("%s: %s queued again", name, count(queued, "task"))
	switch {
	case queued+kept == 0:
		return name + ": nothing to retry"
	case kept == 0:
		return again
	case queued == 0:
		again = name + ":"
	default:
		again += ","
	}
	return fmt.Sprintf("%s %s being ended kept: what its worker ends is queued again then", again, count(kept, "task"))
}
