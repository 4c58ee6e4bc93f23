package sched

import (
	"fmt"
	"slices"

	"candor"
)

// A batch that is cancelled, or expires, is closed: from that instant nothing of
// it is handed out, since its lanes have left their shapes. Its waiting tasks are
// ended in their order, so many a round and no more: a million at once would keep
// everybody else waiting while they are written. The mark on the batch is durable
// from the first round on, so a brain that starts in between goes on where the
// store stands.

// closingSlice is how many waiting tasks a round ends: few enough that a commit
// takes no longer than others do.
const closingSlice = 5_000

// closing is what is left to do of a batch that is closed.
type closing struct {
	code candor.ReasonCode
	text string

	step, task int // the first that was not looked at yet

	// What the ended tasks share: a million of them have one reason and one end.
	past *past
	run  *run
}

// closeBatch ends all of a batch: what runs is ordered to end, what waits ends
// bit by bit, beginning now.
func (s *State) closeBatch(b *batch, code candor.ReasonCode, text string) {
	b.rec.Cancelled = true
	s.touchBatch(b)
	var running []*task
	for _, t := range s.leases {
		if t.batch() == b {
			running = append(running, t)
		}
	}
	slices.SortFunc(running, func(x, y *task) int { return int(x.id - y.id) })
	for _, t := range running {
		s.abort(t, code, text)
	}
	s.beginClosing(b, code, text)
	s.goOnClosing()
	s.settleBatch(b)
}

func (s *State) beginClosing(b *batch, code candor.ReasonCode, text string) {
	if b.closing == nil {
		s.closing = append(s.closing, b)
	}
	b.closing = &closing{code: code, text: text}
	for l := range b.eachLane() {
		s.condemn(l)
	}
	for _, st := range b.steps {
		st.lane, st.extra = nil, nil
		st.void = !st.expanded
	}
	s.unused = true
}

// condemn takes a lane with all its tasks out of the queue at once. They still
// point to it; that it has no shape tells that it is no more.
func (s *State) condemn(l *lane) {
	sh, n := l.shape, l.tasks.len()
	if l.pos >= 0 {
		s.shut(l)
		sh.ready -= n
	} else {
		sh.held -= n
	}
	sh.backoff -= l.size - n
	sh.refs--
	l.shape = nil
}

// closeAgain sees to it that tasks which came to wait in a closed batch are
// ended as the others were: a running task named their items before it ended.
func (s *State) closeAgain(b *batch) {
	if b.closing != nil {
		b.closing.step, b.closing.task = 0, 0
		return
	}
	code, text := b.closedBecause()
	s.beginClosing(b, code, text)
}

// goOnClosing ends waiting tasks of closed batches, as many as this round has
// left, the batch first that was closed first.
func (s *State) goOnClosing() {
	n := 0
	for ; n < len(s.closing); n++ {
		b := s.closing[n]
		if s.batches[b.rec.ID] == b && b.rec.State == candor.BatchActive && !s.closeSome(b) {
			break
		}
		b.closing = nil
		s.settleBatch(b)
	}
	s.closing = slices.Delete(s.closing, 0, n)
}

// closeSome ends waiting tasks of a batch and tells whether it is through.
func (s *State) closeSome(b *batch) bool {
	c := b.closing
	for ; c.step < len(b.steps); c.step, c.task = c.step+1, 0 {
		st := b.steps[c.step]
		for ; c.task < len(st.tasks); c.task++ {
			t := &st.tasks[c.task]
			if t.state != blocked && t.state != queued {
				continue
			}
			if s.closed >= s.slice {
				return false
			}
			s.closed++
			s.closeTask(t, c)
		}
	}
	return true
}

// closeTask ends a task that waits, and nothing else.
func (s *State) closeTask(t *task, c *closing) {
	if c.past == nil {
		why := candor.NewReason(c.code, c.text)
		why.Since = s.now
		c.past, c.run = &past{reason: why, shared: true}, &run{finished: s.now}
	}
	if t.state == queued {
		s.withdraw(t)
	}
	s.move(t, cancelled)
	t.run = c.run
	if t.past == nil {
		t.past = c.past
	} else {
		t.past.reason = c.past.reason
	}
}

// closedBecause is why a batch was closed, for a brain that was not there: the
// store has it with the waiting task that was ended last, or if none waited with
// one that is being ended.
func (b *batch) closedBecause() (candor.ReasonCode, string) {
	var last, runs *task
	for t := range b.eachTask() {
		if t.ending() && t.run.abortText != "" {
			runs = t
		}
		r := t.reason()
		if t.state != cancelled || t.run == nil || t.run.worker != "" || r == nil || r.Code != candor.ReasonCancelled && r.Code != candor.ReasonExpired {
			continue
		}
		if last == nil || t.run.finished.After(last.run.finished) {
			last = t
		}
	}
	if last == nil && runs != nil {
		return runs.run.abort, runs.run.abortText
	}
	if last == nil {
		return candor.ReasonCancelled, "its batch was cancelled"
	}
	return last.reason().Code, last.reason().Text
}

// closingReason is why a task waits that is about to be ended.
func (s *State) closingReason(t *task) *candor.Reason {
	c := t.batch().closing
	code, text := candor.ReasonCancelled, "its batch was cancelled"
	if c != nil {
		code, text = c.code, c.text
	}
	return candor.NewReason(code, fmt.Sprintf("%s is about to be ended: %s", t.name(), text))
}

// Closing tells whether anything that was cancelled is still to be ended.
func (s *State) Closing() bool { return len(s.closing) > 0 }

// Closed brings the reply of a Cancel up to date, and tells whether all that
// waited has ended: what runs ends by its worker's word, and has not to.
func (s *State) Closed(reply candor.ChangeReply) (candor.ChangeReply, bool) {
	through := true
	out := candor.ChangeReply{Changed: slices.Clone(reply.Changed)}
	for i := range out.Changed {
		ch := &out.Changed[i]
		if ch.Task != 0 || ch.Pending == 0 {
			continue
		}
		ch.Pending = 0 // it ended, or was revived since
		if b := s.batches[ch.Batch]; b != nil && b.rec.Cancelled {
			ch.Pending = b.open()
			through = through && b.closing == nil
		}
	}
	return out, through
}

// notClosing refuses to revive tasks of a batch that is still being closed.
func notClosing(b *batch) error {
	if b.closing == nil {
		return nil
	}
	return &candor.Error{
		Code: candor.CodeRetry, Message: fmt.Sprintf("batch %s was cancelled, and %s of it are still to be ended", b.rec.ID, count(b.counts[blocked]+b.counts[queued], "task")),
		Hint: "try again in a moment",
	}
}
