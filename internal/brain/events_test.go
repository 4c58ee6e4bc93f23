package brain_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"candor"
	"candor/internal/brain"
	"candor/internal/clock"
)

// TestFollowers get every committed event once and in order, however many
// follow and however slowly.
func TestFollowers(t *testing.T) {
	r := start(t)
	const batches = 200
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for f := range 4 {
		wg.Go(func() {
			var last int64
			seen := 0
			for seen < batches {
				events, floor, err := r.Events(ctx, last, 1+f*7)
				if err != nil || floor > last {
					t.Errorf("follower %d after %d: floor %d, %v", f, last, floor, err)
					return
				}
				for _, e := range events {
					if e.Seq != last+1 {
						t.Errorf("follower %d: event %d follows %d", f, e.Seq, last)
					}
					last = e.Seq
					if e.Code == candor.EventBatchSubmitted {
						seen++
					}
				}
			}
		})
	}
	for range batches {
		r.submit(1)
	}
	wg.Wait()
	cancel()
	if _, _, err := r.Events(ctx, 1<<40, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a follower that left: %v", err)
	}
}

// TestEventsBelowTheWindow: a follower that is too far behind is told from
// where on the store has to tell it.
func TestEventsBelowTheWindow(t *testing.T) {
	r := start(t)
	const tasks = 3000 // three events each: more than the window
	r.submit(tasks)
	session := r.join("worker-1", 1000)
	for range tasks / 1000 {
		r.work("worker-1", session, 1000)
	}
	r.submit(tasks)
	for range tasks / 1000 {
		r.work("worker-1", session, 1000)
	}
	events, floor, err := r.Events(t.Context(), 0, 0)
	if err != nil || len(events) != 0 || floor <= 0 {
		t.Fatalf("from the beginning: %d events, floor %d, %v", len(events), floor, err)
	}
	events, again, err := r.Events(t.Context(), floor, 0)
	if err != nil || len(events) != brain.Window || again != floor || events[0].Seq != floor+1 {
		t.Fatalf("from the floor: %d events from %d, floor %d, %v", len(events), events[0].Seq, again, err)
	}
	stored, err := r.shelf.Events(t.Context(), candor.EventQuery{After: floor - 5, Limit: 6})
	if err != nil || len(stored) != 6 {
		t.Fatalf("the store has %d events below the floor (%v)", len(stored), err)
	}
	if last := stored[5]; last.Seq != events[0].Seq || last.Text != events[0].Text {
		t.Errorf("the store goes on with %+v, the window begins with %+v", last, events[0])
	}
}

// TestEventsStartAboveTheStore: what was before this process is below the floor.
func TestEventsStartAboveTheStore(t *testing.T) {
	r := start(t)
	r.submit(1)
	last, _, err := r.Events(t.Context(), 0, 0)
	if err != nil || len(last) == 0 {
		t.Fatal(last, err)
	}
	b, err := brain.New(t.Context(), brain.Options{Store: r.shelf, Clock: clock.System(), Log: discard})
	if err != nil {
		t.Fatal(err)
	}
	if events, floor, err := b.Events(t.Context(), 0, 0); len(events) != 0 || floor != last[len(last)-1].Seq || err != nil {
		t.Errorf("a new brain has %v, floor %d, %v", events, floor, err)
	}
}

// TestDebugEventsAreNotKept: what is not in the store is not for followers.
func TestDebugEventsAreNotKept(t *testing.T) {
	r := start(t)
	must[candor.ClaimReply](r, claim("worker-1", r.join("worker-1", 1), 1, 0))
	r.submit(1)
	stored, err := r.shelf.Events(t.Context(), candor.EventQuery{})
	if err != nil || len(stored) != 2 {
		t.Fatalf("the store has %+v (%v), want that a worker joined and a batch came", stored, err)
	}
	var told []candor.Event
	for len(told) < 2 { // a caller may be answered before followers are told
		var last int64
		if len(told) > 0 {
			last = told[len(told)-1].Seq
		}
		events, _, err := r.Events(t.Context(), last, 0)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, events...)
	}
	for i := range told {
		if told[i].Seq != stored[i].Seq || told[i].Code != stored[i].Code {
			t.Errorf("followers are told %+v, the store has %+v", told[i], stored[i])
		}
	}
}
