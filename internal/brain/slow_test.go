package brain_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/sched"
)

// TestQuestionsDuringASlowCommit are answered, and say that what they speak of is
// not on disk; whatever changes something waits, and none of it is lost.
func TestQuestionsDuringASlowCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, func(o *brain.Options) { o.Holder = func() string { return "pid 912 (python3)" } })
		session := r.join("worker-1", 1)
		r.submit(1)
		g := newGate()
		r.shelf.onCommit(g.hold)
		slow := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
		<-g.reached
		begun := time.Now()
		asked := r.begin(t.Context(), sched.Status{})
		claimed := r.begin(t.Context(), claim("worker-1", session, 1, 0))
		status := (<-asked).reply.(candor.Status)
		if took := time.Since(begun); took > 1100*time.Millisecond {
			t.Errorf("the answer took %s", took)
		}
		const want = "store: commit under way for 1s (usual 0s), locked by pid 912 (python3)"
		if status.Trouble != want {
			t.Errorf("trouble %q, want %q", status.Trouble, want)
		}
		if x := must[candor.Explanation](r, sched.Why{Target: "worker-1"}); x.Trouble != want {
			t.Errorf("why says %q", x.Trouble)
		}
		if n := len(must[[]candor.Worker](r, sched.Workers{})); n != 1 {
			t.Errorf("%d workers", n)
		}
		time.Sleep(10 * time.Second) // of the bubble
		select {
		case a := <-claimed:
			t.Errorf("a claim is answered while nothing can be committed: %+v", a)
		default:
		}
		r.shelf.onCommit(nil)
		g.open <- nil
		if a := <-slow; a.err != nil {
			t.Error(a.err)
		}
		if a := <-claimed; a.err != nil || len(a.reply.(candor.ClaimReply).Tasks) != 1 {
			t.Errorf("the claim that waited: %+v", a)
		}
		if st := must[candor.Status](r, sched.Status{}); st.Trouble != "" {
			t.Errorf("trouble %q stands", st.Trouble)
		}
		time.Sleep(2 * time.Second) // of the bubble
		events, _, err := r.Events(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range events {
			if e.Code == candor.EventStoreSlow {
				told = append(told, e.Text)
			}
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], "store: commit 11s (usual 0s), locked by pid 912 (python3)") {
			t.Errorf("told %q", told)
		}
	})
}

// TestARefusedSlowCommit takes back what questions were told, as they were told.
func TestARefusedSlowCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		g := newGate()
		r.shelf.onCommit(g.hold)
		slow := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
		<-g.reached
		time.Sleep(2 * time.Second) // of the bubble
		st := must[candor.Status](r, sched.Status{})
		if st.Batches != 1 || !strings.HasPrefix(st.Trouble, "store: commit under way for 2s") {
			t.Errorf("meanwhile: %+v", st)
		}
		r.shelf.onCommit(nil)
		g.open <- candor.Errorf(candor.CodeStoreBusy, "locked")
		if a := <-slow; candor.CodeOf(a.err) != candor.CodeStoreBusy {
			t.Errorf("it ended %+v", a)
		}
		if st := must[candor.Status](r, sched.Status{}); st.Batches != 0 {
			t.Errorf("afterwards: %+v", st)
		}
	})
}
