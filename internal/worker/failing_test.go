//go:build linux || darwin

package worker

import (
	"testing"
	"time"

	"candor"
)

// F09: claims fail while heartbeats and registrations pass. The pauses grow all
// the same, the heartbeats count, and the brain is told to be back only once
// claims are answered.
func TestFailingClaimsAreReportedAndBackOff(t *testing.T) {
	b := newBrain()
	for range 5 {
		b.claimErr = append(b.claimErr, candor.Errorf(candor.CodeInternal, "500 Internal Server Error"))
	}
	f := start(t, b, nil)
	begun := time.Now()
	h := b.beat(t, "that counts", func(h candor.HeartbeatRequest) bool { return h.Failing != nil && h.Failing.Calls["internal"] >= 3 })
	if h.Failing.Last != "500 Internal Server Error" || h.Failing.For <= 0 {
		t.Errorf("failing %+v", h.Failing)
	}
	if n := f.log.count("The brain answers again"); n != 0 {
		t.Error("heartbeats are answered, claims are not: it is not back")
	}
	b.beat(t, "that forgets", func(h candor.HeartbeatRequest) bool { return h.Session == 6 && h.Failing == nil })
	f.log.wait(t, "INFO The brain answers again after ")
	// The first pauses are 0.1 to 0.3, 0.2 to 0.6, 0.4 to 1.2 s; the brain's heartbeat bounds them here.
	if took := time.Since(begun); took < 5*50*time.Millisecond {
		t.Errorf("five failures took %s: the pauses do not grow", took)
	}
	if n := f.log.count("The brain answers again"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A worker that was there before its brain had nobody to ask: that is not told of
// it once it has joined. What fails in a session is, though it registers again.
func TestKnockingBeforeTheFirstSessionIsNoFailing(t *testing.T) {
	b := newBoard(time.Now(), nil, func() *candor.Serving { return nil })
	refused := candor.Errorf(candor.CodeUnavailable, "connection refused")
	b.failedCall(refused, time.Now())
	b.join(candor.RegisterReply{Session: 1})
	if b.fails() {
		t.Error("what failed before the first session is still told")
	}
	b.failedCall(refused, time.Now())
	b.join(candor.RegisterReply{Session: 2})
	if !b.fails() {
		t.Error("a registration alone is no answer to the calls that failed")
	}
}
