package brain

import (
	"slices"
	"time"

	"candor"
	"candor/internal/sched"
)

// holds tells whether an answered request should wait for a better answer, and
// until when: a claim that found no work, a heartbeat or a supervisor's report
// that brings no order; a cancelling of more than one round ends, and a retry of
// what is still being ended.
func (b *Brain) holds(r *request, now time.Time) bool {
	if r.err != nil && candor.CodeOf(r.err) != candor.CodeRetry {
		return false
	}
	var wait time.Duration
	switch c := r.cmd.(type) {
	case sched.Retry:
		if r.err != nil {
			wait = closingWait
		}
	case sched.Cancel:
		if c.Req.DryRun || b.closed(r) {
			return false
		}
		wait = closingWait
	case sched.Claim:
		reply, ok := r.reply.(candor.ClaimReply)
		if !ok || len(reply.Tasks) > 0 || len(c.Req.Results) > 0 || c.Req.Max == 0 {
			return false
		}
		wait = c.Req.Wait.D()
	case sched.Heartbeat:
		reply, ok := r.reply.(candor.HeartbeatReply)
		if !ok || len(reply.Abort)+len(reply.Void) > 0 {
			return false
		}
		wait = c.Req.Wait.D()
	case sched.HostSeen:
		reply, ok := r.reply.(candor.HostReply)
		if !ok || len(reply.Fence) > 0 || len(c.Report.Fenced) > 0 {
			return false
		}
		wait = c.Report.Wait.D()
	}
	if wait <= 0 {
		return false
	}
	r.until = now.Add(min(wait, maxWait))
	return true
}

// closingWait bounds how long a cancelling is held until all that waited has
// ended. It is less than callers wait for an answer: those who are told of
// pending tasks then look for themselves.
const closingWait = 20 * time.Second

// maxWait bounds how long an answer is held, whatever was asked for.
const maxWait = time.Minute

// tryHeld answers held requests that have something to hear now, or whose time
// is over, and forgets those whose caller has gone. Claims are tried in the
// order in which they began to wait. Should deciding on one crash, that one
// counts as answered and those behind it stay held.
func (b *Brain) tryHeld(now time.Time, answers *[]*request, current *sched.Command) {
	retry := b.state.Ready() != b.ready && b.state.Claimable()
	kept, looked := 0, 0
	defer func() { b.held = slices.Delete(b.held, kept, looked) }()
	for looked < len(b.held) {
		r := b.held[looked]
		looked++
		*current = r.cmd
		*answers = append(*answers, r)
		gone := r.ctx.Err()
		over := !now.Before(r.until)
		// One whose time is over is answered by what is so now, not by what was
		// when it began to wait.
		if gone == nil && (b.news(now, r, retry, over) || over) {
			continue
		}
		*answers = (*answers)[:len(*answers)-1]
		if gone != nil {
			refuse([]*request{r}, gone)
			continue
		}
		b.held[kept] = r
		kept++
	}
	b.ready = b.state.Ready()
}

// news tries one held request again, the last time if its time is over, and
// tells whether it has its answer.
func (b *Brain) news(now time.Time, r *request, retry, last bool) bool {
	switch c := r.cmd.(type) {
	case sched.Claim:
		if !retry && !last && b.state.Speaks(c.Worker, c.Req.Session) {
			return false
		}
		c.Again, c.Last = true, last
		r.reply, r.err = b.state.Apply(now, c)
		reply, ok := r.reply.(candor.ClaimReply)
		return r.err != nil || (ok && len(reply.Tasks) > 0)
	case sched.Heartbeat:
		if !b.state.Urgent(c.Worker) {
			return false
		}
		r.reply = b.state.Orders(c.Worker)
		return true
	case sched.HostSeen:
		reply := b.state.HostOrders(c.Report.Supervisor)
		r.reply = reply
		return len(reply.Fence) > 0
	case sched.Retry:
		r.reply, r.err = b.state.Apply(now, c)
		return candor.CodeOf(r.err) != candor.CodeRetry
	case sched.Cancel:
		return b.closed(r)
	default:
		return true
	}
}

// closed brings a cancelling's answer up to date and tells whether it stands.
func (b *Brain) closed(r *request) bool {
	reply, ok := r.reply.(candor.ChangeReply)
	if !ok {
		return true
	}
	reply, through := b.state.Closed(reply)
	r.reply = reply
	return through
}
