package modelhost_test

import (
	"fmt"
	"sync"
	"testing"

	"candor"
	"candor/internal/modelhost"
	"candor/internal/simrt"
)

// A server that works on fewer requests at once than it was said to is found
// out by the answers that wait in its own queue.
func TestTheServersRealSlotsAreLearnt(t *testing.T) {
	for real, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 8: 4} {
		t.Run(fmt.Sprint(real), func(t *testing.T) {
			within(t, modelhost.Options{Slots: 4}, simrt.Options{Slots: real}, func(t *testing.T, f *fixture) {
				f.order(candor.OrderLoad, "alpha")
				f.learns(6, 6, want)
				if s := f.Serving(); s.Slots != want || s.Take != want+(want+1)/2 {
					t.Errorf("%d at once, and %d in hand, of a server that works on %d", s.Slots, s.Take, real)
				}
			})
		})
	}
}

// With nobody waiting for it, nothing is concluded; and a server that was busy
// with others is tried again.
func TestSlotsAreTriedAgain(t *testing.T) {
	within(t, modelhost.Options{Slots: 2}, simrt.Options{Slots: 1}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		f.rows(1, 20)
		if s := f.Serving(); s.Slots != 2 {
			t.Fatalf("%d slots, though nothing waited", s.Slots)
		}
		f.learns(2, 5, 1)
		f.learns(1, 140, 2)
	})
}

// learns has rows asked until the server is taken to have so many slots. On a
// busy machine the callers themselves may be late, and nothing is concluded yet.
func (f *fixture) learns(callers, each, slots int) {
	f.t.Helper()
	const tries = 20
	for range tries {
		f.rows(callers, each)
		if f.Serving().Slots == slots {
			return
		}
	}
	f.t.Fatalf("after %d times %d rows of %d callers: %d slots, want %d", tries, each, callers, f.Serving().Slots, slots)
}

// rows has so many callers ask so many questions each.
func (f *fixture) rows(callers, each int) {
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				loan := f.borrow("alpha")
				if _, err := ask(f.t.Context(), loan, 30); err != nil {
					f.t.Error(err)
				}
				loan.Return(modelhost.Served)
			}
		})
	}
	all.Wait()
}
