package sched

import (
	"fmt"
	"strings"

	"candor"
)

// lastSeen is what was last seen of a running command, for a person to judge by:
// a job that computes without a word may be at work, or spin for ever. Empty if
// its process is not known.
func (s *State) lastSeen(t *task) string {
	p := &t.run.progress
	if p.PID == 0 {
		return ""
	}
	text := "nothing printed, written or reported since it started"
	if !t.run.shown.IsZero() {
		text = fmt.Sprintf("last sign of its own %s ago", candor.ShortDuration(s.now.Sub(t.run.shown)))
	}
	if p.Bytes > 0 {
		text += ", " + candor.Bytes(p.Bytes).String() + " printed"
	}
	return text + fmt.Sprintf(", %s of CPU time used, pid %d is %s", candor.ShortDuration(p.CPU.D()), p.PID, p.State)
}

// stoppedReason is that a running command's own process is stopped, and what
// wakes it, or nil.
func (s *State) stoppedReason(t *task) *candor.Reason {
	p := &t.run.progress
	if p.PID == 0 || p.State != "stopped" {
		return nil
	}
	text := fmt.Sprintf("%s (%s) on %s: its process %d is stopped (SIGSTOP or a debugger); last moved %s ago", t.name(), t.id, t.run.worker, p.PID,
		candor.ShortDuration(s.now.Sub(t.run.moved)))
	return candor.NewReason(candor.ReasonStuck, text).With("pid", p.PID).Do(fmt.Sprintf("kill -CONT %d", p.PID))
}

// stuckReason is that a running task stands still, or nil.
func (s *State) stuckReason(t *task) *candor.Reason {
	if r := s.stoppedReason(t); r != nil {
		return r
	}
	if !t.run.stuck {
		return nil
	}
	return candor.NewReason(candor.ReasonStuck, "nothing moves: "+s.sayStuck(t)).Do(t.lookCloser())
}

// stuckOn is that some of what a worker runs stands still, or nil.
func (s *State) stuckOn(w *worker) *candor.Reason {
	var first *candor.Reason
	var texts []string
	for _, t := range w.running {
		r := s.stuckReason(t)
		if r == nil || t.run.abort != "" {
			continue
		}
		if first == nil {
			first = r
			first.Since = t.run.moved
		}
		texts = append(texts, strings.TrimPrefix(r.Text, "nothing moves: "))
	}
	if first != nil {
		first.Text = fmt.Sprintf("%s runs %s, and nothing moves in %d of them: %s", w.info.Name, count(len(w.running), "task"), len(texts), strings.Join(texts, "; "))
	}
	return first
}
