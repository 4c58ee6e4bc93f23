package brain_test

import (
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/sched"
)

// TestCancelLetsOthersGoOn: while a large batch is being ended, commands of
// others have their answers; the cancelling has its own when all has ended.
func TestCancelLetsOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		const n = 30_000
		big := r.submit(n)
		gates := 0
		g := newGate()
		r.shelf.onCommit(g.hold)
		target := candor.ChangeRequest{Targets: []string{big.Batch.String()}}
		cancelled := r.begin(t.Context(), sched.Cancel{Req: target})
		var revived <-chan answer
		for {
			<-g.reached
			if gates++; gates == 2 { // beside the second slice
				small := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
				revived = r.begin(t.Context(), sched.Retry{Req: target})
				g.open <- nil
				<-g.reached
				g.open <- nil
				if a := <-small; a.err != nil {
					t.Fatal(a.err)
				}
				select {
				case a := <-cancelled:
					t.Fatalf("answered after %d of %d: %+v", gates, n, a)
				case a := <-revived:
					t.Fatalf("revived what was still being ended: %+v", a)
				default:
				}
				break
			}
			g.open <- nil
		}
		r.shelf.onCommit(nil)
		var a answer
		for a.reply == nil {
			select {
			case <-g.reached: // one that had begun to wait
				g.open <- nil
			case a = <-cancelled:
			}
		}
		if ch := a.reply.(candor.ChangeReply).Changed[0]; a.err != nil || ch.Tasks != n || ch.Pending != 0 {
			t.Errorf("the answer is %+v, %v", ch, a.err)
		}
		if a := <-revived; a.err != nil || a.reply.(candor.ChangeReply).Changed[0].Tasks != n {
			t.Errorf("the retry behind it: %+v, %v", a.reply, a.err)
		}
		if st := r.status(); st.Queue[candor.ClassCPU] != n+1 {
			t.Errorf("queued are %d", st.Queue[candor.ClassCPU])
		}
	})
}

// TestClosingPausesWhileStoreIsFull: a brain with tasks to end goes on by itself
// when there is room again, and does not load its state over and over meanwhile.
func TestClosingPausesWhileStoreIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		big := r.submit(12_000)
		commits, loads := 0, 0
		r.shelf.onLoad(func() error { loads++; return nil })
		r.shelf.onCommit(func(*sched.Changes) error {
			if commits++; commits > 1 {
				return candor.Errorf(candor.CodeStoreFull, "no room")
			}
			return nil
		})
		cancelled := r.begin(t.Context(), sched.Cancel{Req: candor.ChangeRequest{Targets: []string{big.Batch.String()}}})
		time.Sleep(10 * time.Second) // of the bubble
		r.shelf.onLoad(nil)
		r.shelf.onCommit(nil)
		if loads < 2 || loads > 12 {
			t.Errorf("the state was loaded %d times in ten seconds", loads)
		}
		a := <-cancelled
		if a.err != nil || a.reply.(candor.ChangeReply).Changed[0].Pending != 0 {
			t.Errorf("the cancelling ended with %+v, %v", a.reply, a.err)
		}
		if b, err := r.shelf.Batch(t.Context(), big.Batch); err != nil || b.Counts[candor.TaskCancelled] != 12_000 {
			t.Errorf("the batch is %+v, %v", b, err)
		}
	})
}
