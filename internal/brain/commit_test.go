package brain_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"candor"
	"candor/internal/brain"
	"candor/internal/clock"
	"candor/internal/sched"
	"candor/internal/store"
	"candor/internal/store/sqlite"
)

// TestManyShareCommits: what arrives while a commit is under way shares the next one.
func TestManyShareCommits(t *testing.T) {
	r := start(t)
	g := newGate()
	r.shelf.onCommit(g.hold)
	first := r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})
	<-g.reached
	r.shelf.onCommit(nil)
	const n = 300
	var all []<-chan answer
	for range n {
		all = append(all, r.begin(t.Context(), sched.Submit{Sub: plan(1, "")}))
	}
	eventually(t, "all commands wait for the loop", func() bool { return r.Waiting() == n })
	g.open <- nil
	for _, c := range append(all, first) {
		if a := <-c; a.err != nil {
			t.Fatal(a.err)
		}
	}
	if got := r.shelf.count(); got != 2 {
		t.Errorf("%d submissions took %d commits, want 2: the one under way and one for all that came meanwhile", n+1, got)
	}
	if got := r.status().Batches; got != n+1 {
		t.Errorf("%d batches are active, want %d", got, n+1)
	}
}

// TestNothingIsToldBeforeItsCommit: neither the caller nor a follower hears of
// a change that is not durable yet.
func TestNothingIsToldBeforeItsCommit(t *testing.T) {
	r := start(t)
	g := newGate()
	r.shelf.onCommit(g.hold)
	answered := r.begin(t.Context(), sched.Submit{Sub: plan(3, "")})
	followed := make(chan []candor.Event, 1)
	go func() {
		events, _, _ := r.Events(context.Background(), 0, 10)
		followed <- events
	}()
	<-g.reached
	select {
	case a := <-answered:
		t.Fatalf("answered before the commit: %+v", a)
	case e := <-followed:
		t.Fatalf("followers were told before the commit: %+v", e)
	default:
	}
	batches, err := r.shelf.Batches(t.Context(), candor.BatchQuery{})
	if err != nil || len(batches) != 0 {
		t.Fatalf("the store has %+v (%v) before the commit", batches, err)
	}
	r.shelf.onCommit(nil)
	g.open <- nil
	a := <-answered
	if a.err != nil {
		t.Fatal(a.err)
	}
	b, err := r.shelf.Batch(t.Context(), a.reply.(candor.SubmitReply).Batch)
	if err != nil || b.Total != 3 {
		t.Fatalf("once answered, the store has %+v, %v", b, err)
	}
	if e := <-followed; len(e) == 0 || e[0].Code != candor.EventBatchSubmitted {
		t.Errorf("followers were told %+v", e)
	}
}

// TestFailedCommit refuses the whole round with the right code, loads what is
// durable and goes on; what was acknowledged before is still there.
func TestFailedCommit(t *testing.T) {
	for _, c := range []struct {
		name  string
		cause error
		want  candor.Code
	}{
		{"full", &candor.Error{Code: candor.CodeStoreFull, Message: "commit: no room on the disk"}, candor.CodeStoreFull},
		{"busy", fmt.Errorf("commit: %w", &candor.Error{Code: candor.CodeStoreBusy, Message: "locked by pid 912"}), candor.CodeStoreBusy},
		{"conflict", &candor.Error{Code: candor.CodeConflict, Message: "a task is not as expected"}, candor.CodeRetry},
		{"internal", candor.Errorf(candor.CodeInternal, "constraint"), candor.CodeInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t)
			kept := r.submit(2)
			session := r.join("worker-1", 1)

			g := newGate()
			r.shelf.onCommit(g.hold)
			round := []<-chan answer{r.begin(t.Context(), sched.Submit{Sub: plan(1, "")})}
			<-g.reached
			for range 5 {
				round = append(round, r.begin(t.Context(), sched.Submit{Sub: plan(1, "")}))
			}
			round = append(round, r.begin(t.Context(), claim("worker-1", session, 1, 0)))
			asked := r.begin(t.Context(), sched.Status{})
			eventually(t, "the second round waits", func() bool { return r.Waiting() == 7 })
			r.shelf.onCommit(func(*sched.Changes) error { return c.cause })
			g.open <- c.cause
			for i, ch := range round {
				if a := <-ch; candor.CodeOf(a.err) != c.want || a.err == nil {
					t.Errorf("command %d: %+v, %v, want %s", i, a.reply, a.err, c.want)
				}
			}
			if a := <-asked; a.err != nil || a.reply.(candor.Status).Batches != 1 {
				t.Errorf("a question in the same round: %+v, %v", a.reply, a.err)
			}
			if trouble := r.status().Trouble; (c.want == candor.CodeStoreFull || c.want == candor.CodeStoreBusy) != (trouble != "") {
				t.Errorf("trouble is %q", trouble)
			}

			r.shelf.onCommit(nil)
			reply := must[candor.ClaimReply](r, claim("worker-1", session, 1, 0))
			if len(reply.Tasks) != 1 {
				t.Fatalf("after the trouble the worker is given %+v", reply)
			}
			if st := r.status(); st.Batches != 1 || st.Processing != 1 || st.Queue[candor.ClassCPU] != 1 || st.Trouble != "" {
				t.Errorf("status after the trouble: %+v", st)
			}
			if b, err := r.shelf.Batch(t.Context(), kept.Batch); err != nil || b.Total != 2 {
				t.Errorf("the acknowledged batch is %+v, %v", b, err)
			}
			if all, err := r.shelf.Batches(t.Context(), candor.BatchQuery{}); err != nil || len(all) != 1 {
				t.Errorf("the store has %d batches (%v), want the acknowledged one", len(all), err)
			}
		})
	}
}

// TestRefusedRoundIsLoggedOnce while the same trouble lasts.
func TestRefusedRoundIsLoggedOnce(t *testing.T) {
	r := start(t)
	r.shelf.onCommit(func(*sched.Changes) error { return candor.Errorf(candor.CodeStoreFull, "no room") })
	for range 20 {
		r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeStoreFull)
	}
	r.shelf.onCommit(nil)
	r.submit(1)
	var told, mended int
	for _, l := range r.log.all() {
		if strings.Contains(l, "The round is refused") {
			told++
		}
		if strings.Contains(l, "commits again") {
			mended++
		}
	}
	if told != 1 || mended != 1 {
		t.Errorf("told %d times, mended %d times: %q", told, mended, r.log.all())
	}
}

// TestTroubleEndsByItself: a brain with nothing to commit finds out that the
// store works again, so that its health does not depend on somebody's work.
func TestTroubleEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		r.shelf.onCommit(func(*sched.Changes) error { return candor.Errorf(candor.CodeStoreFull, "no room") })
		r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeStoreFull)
		if got := r.status().Trouble; got != "no room" {
			t.Errorf("trouble is %q", got)
		}
		r.shelf.onCommit(nil)
		time.Sleep(3 * time.Second) // of the bubble
		if got := r.status().Trouble; got != "" {
			t.Errorf("three seconds after there is room, trouble is %q", got)
		}
		if got := r.submit(1); got.Tasks != 1 {
			t.Errorf("submitted %+v", got)
		}
	})
}

// TestAFullDiskTakesSmallCommits: that one fits is no sign that the next will,
// and the trouble stands until there is room for more. New work is refused
// meanwhile, even if it would fit.
func TestAFullDiskTakesSmallCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		noRoom := candor.Errorf(candor.CodeStoreFull, "no room")
		r.shelf.onCommit(func(c *sched.Changes) error {
			if len(c.NewTasks) > 0 {
				return noRoom
			}
			return nil
		})
		r.shelf.cramp(noRoom)
		r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeStoreFull)
		for range 3 {
			r.join("worker-1", 1)
			time.Sleep(2 * time.Second) // of the bubble
			if got := r.status().Trouble; got != "no room" {
				t.Errorf("after a small commit, trouble is %q", got)
			}
		}
		r.shelf.onCommit(nil) // what room there is belongs to what runs
		r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeStoreFull)
		r.shelf.cramp(nil)
		time.Sleep(3 * time.Second) // of the bubble
		if got := r.status().Trouble; got != "" {
			t.Errorf("three seconds after there is room, trouble is %q", got)
		}
	})
}

// TestAcknowledgedSurvives random failures: whatever was answered well is in
// the store, and whatever was refused is not.
func TestAcknowledgedSurvives(t *testing.T) {
	r := start(t)
	n := 0
	r.shelf.onCommit(func(*sched.Changes) error {
		if n++; n%3 == 0 {
			return candor.Errorf(candor.CodeStoreBusy, "somebody has the lock")
		}
		return nil
	})
	var mu sync.Mutex
	var kept []candor.BatchID
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 10 {
				reply, err := r.Do(context.Background(), sched.Submit{Sub: plan(2, "")})
				if err != nil {
					if candor.CodeOf(err) != candor.CodeStoreBusy {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				kept = append(kept, reply.(candor.SubmitReply).Batch)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.shelf.onCommit(nil)
	all, err := r.shelf.Batches(t.Context(), candor.BatchQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var have []candor.BatchID
	for _, b := range all {
		have = append(have, b.ID)
	}
	slices.Sort(have)
	slices.Sort(kept)
	if !slices.Equal(have, kept) {
		t.Errorf("acknowledged %v\nin the store %v", kept, have)
	}
	if got := r.status().Batches; got != len(kept) {
		t.Errorf("the loop has %d batches, acknowledged were %d", got, len(kept))
	}
}

// TestLoadFails: a state that cannot be loaded again ends the loop, whatever
// else the process does, and everybody is told.
func TestLoadFails(t *testing.T) {
	r := start(t)
	r.shelf.onLoad(func() error { return candor.Errorf(candor.CodeInternal, "the file is damaged") })
	r.shelf.onCommit(func(*sched.Changes) error { return candor.Errorf(candor.CodeInternal, "the file is damaged") })
	r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeInternal)
	<-r.ended
	if r.err == nil || !strings.Contains(r.err.Error(), "damaged") {
		t.Errorf("the loop ended with %v", r.err)
	}
	r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeUnavailable)
}

// TestLoadWaits for a store that is busy or full.
func TestLoadWaits(t *testing.T) {
	r := start(t)
	r.submit(1)
	tries := make(chan struct{}, 3)
	r.shelf.onLoad(func() error {
		select {
		case tries <- struct{}{}:
			return candor.Errorf(candor.CodeStoreBusy, "somebody has the lock")
		default:
			return nil
		}
	})
	first := true
	r.shelf.onCommit(func(*sched.Changes) error {
		if first {
			first = false
			return candor.Errorf(candor.CodeConflict, "not as expected")
		}
		return nil
	})
	r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeRetry)
	if st := r.status(); st.Batches != 1 {
		t.Errorf("after three tries to load: %+v", st)
	}
}

// TestLoadTakesLong: who asks meanwhile hears why there is no answer.
func TestLoadTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		r.submit(1)
		gone := func() error { return candor.Errorf(candor.CodeUnavailable, "the file was moved") }
		r.shelf.onLoad(gone)
		r.shelf.onCommit(func(*sched.Changes) error { return gone() })
		r.refused(sched.Submit{Sub: plan(1, "")}, candor.CodeUnavailable)
		time.Sleep(5 * time.Second) // of the bubble
		r.refused(sched.Status{}, candor.CodeUnavailable)
		r.shelf.onLoad(nil)
		r.shelf.onCommit(nil)
		time.Sleep(5 * time.Second) // of the bubble
		if st := r.status(); st.Batches != 1 || st.Trouble != "" {
			t.Errorf("once it is back: %+v", st)
		}
	})
}

// TestRestart: a new brain on the same files has what the former acknowledged.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	run := func(f func(*rig)) {
		st, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, shelf: &shelf{Store: st}, log: &logbook{}, ended: make(chan struct{})}
		if r.Brain, err = brain.New(t.Context(), brain.Options{Store: r.shelf, Clock: clock.System(), Log: discard}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r.stop = cancel
		go func() { defer close(r.ended); r.err = r.Run(ctx) }()
		defer r.close()
		f(r)
	}
	var session int64
	var running candor.ClaimReply
	run(func(r *rig) {
		r.submit(3)
		session = r.join("worker-1", 2)
		running = must[candor.ClaimReply](r, claim("worker-1", session, 2, 0))
	})
	run(func(r *rig) {
		if st := r.status(); st.Processing != 2 || st.Queue[candor.ClassCPU] != 1 {
			t.Fatalf("after the restart: %+v", st)
		}
		// The session goes on: nobody but the brain was away.
		must[candor.ClaimReply](r, claim("worker-1", session, 0, 0, done(running, candor.AttemptDone)...))
		if st := r.status(); st.Processing != 0 || st.Tasks[candor.TaskComplete] != 2 {
			t.Errorf("after the results: %+v", st)
		}
	})
}

// TestPrunes history beside the loop.
func TestPrunes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, func(o *brain.Options) {
			o.Retention, o.PruneEvery = store.Retention{Age: time.Hour}, time.Minute
			o.Sched.Linger = time.Minute
		})
		b := r.submit(1)
		r.work("worker-1", r.join("worker-1", 1), 1)
		time.Sleep(3 * time.Hour) // of the bubble
		if _, err := r.shelf.Batch(t.Context(), b.Batch); candor.CodeOf(err) != candor.CodeNotFound {
			t.Errorf("after three hours of an age of one: %v", err)
		}
		if !slices.ContainsFunc(r.log.all(), func(l string) bool { return strings.Contains(l, "Pruned history: 1 batches, 1 tasks") }) {
			t.Errorf("the log says nothing of it: %q", r.log.all())
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(10 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never happened: %s", what)
		}
	}
}
