package brain_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/sched"
)

// TestStopAnswersEverybody: held claims, followers, commands in the queue and
// those that come too late.
func TestStopAnswersEverybody(t *testing.T) {
	r := start(t)
	session := r.join("worker-1", 4)
	var all []<-chan answer
	for range 3 {
		all = append(all, r.begin(t.Context(), claim("worker-1", session, 1, time.Minute)))
	}
	all = append(all, r.begin(t.Context(), sched.Heartbeat{Worker: "worker-1", Req: candor.HeartbeatRequest{Session: session, Wait: candor.Duration(time.Minute)}}))
	followed := make(chan error, 1)
	go func() {
		_, _, err := r.Events(context.Background(), 1<<40, 1)
		followed <- err
	}()
	g := newGate()
	r.shelf.onCommit(g.hold)
	last := r.begin(t.Context(), sched.Submit{Sub: modelPlan()})
	<-g.reached
	for range 50 {
		all = append(all, r.begin(t.Context(), sched.Status{}))
	}
	eventually(t, "they wait", func() bool { return r.Waiting() >= 50 })
	r.stop()
	g.open <- nil
	if a := <-last; a.err != nil {
		t.Errorf("the round under way is brought to its end: %v", a.err)
	}
	for i, ch := range all {
		if a := <-ch; candor.CodeOf(a.err) != candor.CodeUnavailable {
			t.Errorf("command %d: %+v, %v, want unavailable", i, a.reply, a.err)
		}
	}
	if err := <-followed; candor.CodeOf(err) != candor.CodeUnavailable {
		t.Errorf("the follower: %v", err)
	}
	<-r.ended
	if r.err != nil {
		t.Errorf("stopped in order, but: %v", r.err)
	}
	r.refused(sched.Status{}, candor.CodeUnavailable)
	if b, err := r.shelf.Batches(t.Context(), candor.BatchQuery{}); err != nil || len(b) != 1 {
		t.Errorf("the acknowledged batch: %+v, %v", b, err)
	}
}

// TestStopRaces: whoever calls while the brain stops gets some answer.
func TestStopRaces(t *testing.T) {
	for range 20 {
		r := start(t)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					if _, err := r.Do(context.Background(), sched.Submit{Sub: plan(1, "")}); err != nil {
						if candor.CodeOf(err) != candor.CodeUnavailable {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		r.stop()
		wg.Wait()
	}
}

// TestBeat: a watchdog hears of the loop at least once a second, and of a stuck
// one it does not.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var beats []time.Time
		r := start(t, func(o *brain.Options) {
			o.Beat = func() {
				mu.Lock()
				defer mu.Unlock()
				beats = append(beats, time.Now())
			}
		})
		begun := time.Now()
		time.Sleep(10 * time.Second) // of the bubble
		mu.Lock()
		n := len(beats)
		last := begun
		for _, b := range beats {
			if b.Sub(last) > time.Second {
				t.Errorf("no beat for %s", b.Sub(last))
			}
			last = b
		}
		mu.Unlock()
		if n < 9 {
			t.Errorf("%d beats in ten seconds", n)
		}
		g := newGate()
		r.shelf.onCommit(g.hold)
		stuck := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
		<-g.reached
		mu.Lock()
		n = len(beats)
		mu.Unlock()
		time.Sleep(10 * time.Second) // of the bubble
		mu.Lock()
		if len(beats) != n {
			t.Errorf("a loop that waits for its store beat %d times", len(beats)-n)
		}
		mu.Unlock()
		r.shelf.onCommit(nil)
		g.open <- nil
		<-stuck
	})
}

// TestSlowCommitIsNamed with the usual time and the holder of the lock.
func TestSlowCommitIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, func(o *brain.Options) { o.Holder = func() string { return "sqlite3 (pid 912)" } })
		r.submit(1)
		r.shelf.onCommit(func(*sched.Changes) error {
			r.shelf.onCommit(nil)
			time.Sleep(9800 * time.Millisecond) // of the bubble
			return nil
		})
		r.submit(1)
		time.Sleep(2 * time.Second) // of the bubble: it goes on record with the next commit
		if !slices.ContainsFunc(r.log.all(), func(l string) bool {
			return strings.HasPrefix(l, "WARN store: commit 9.8s (usual ") && strings.HasSuffix(l, ", locked by sqlite3 (pid 912)")
		}) {
			t.Errorf("the log has %q", r.log.all())
		}
	})
}
