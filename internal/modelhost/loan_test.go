package modelhost_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"candor"
	"candor/internal/modelhost"
	"candor/internal/runtime"
	"candor/internal/simrt"
)

func TestSlotsAreLentInOrder(t *testing.T) {
	within(t, modelhost.Options{Slots: 2}, simrt.Options{Slots: 2}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		first, second := f.borrow("alpha"), f.borrow("alpha")
		if s := f.Serving(); s.Slots != 2 || s.Take != 3 || s.Models[0].InUse != 2 {
			t.Errorf("%+v", s)
		}
		got := make(chan int, 3)
		var notes []string
		for i := range 3 {
			go func() {
				loan, err := f.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, func(p candor.Progress) {
					if i == 1 {
						notes = append(notes, p.Kind+": "+p.Note)
					}
				})
				if err != nil {
					t.Error(err)
					return
				}
				got <- i
				loan.Return(modelhost.Served)
			}()
			passes(7 * time.Second)
		}
		first.Return(modelhost.Served)
		order := []int{<-got, <-got, <-got}
		if !slices.Equal(order, []int{0, 1, 2}) {
			t.Errorf("order %v", order)
		}
		second.Return(modelhost.Served)
		if len(notes) < 2 || notes[0] != "slot: waits for a slot of the model server: 2 of 2 taken, 1 ahead of it" {
			t.Errorf("notes %q", notes)
		}
	})
}

func TestWhoLeavesTheQueueLosesNothing(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		loan := f.borrow("alpha")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := f.Borrow(ctx, modelhost.Want{Model: "alpha"}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		loan.Return(modelhost.Unused)
		f.borrow("alpha").Return(modelhost.Unused)
		if s := f.Serving(); s.Models[0].InUse != 0 {
			t.Errorf("%+v", s.Models)
		}
	})
}

func TestAnotherModelMayAnswer(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "beta")
		loan, err := f.Borrow(t.Context(), modelhost.Want{Model: "alpha", Accept: []string{"gamma", "beta:latest"}}, nil)
		if err != nil || loan.Model != "beta:latest" {
			t.Fatalf("%+v, %v", loan, err)
		}
		loan.Return(modelhost.Served)
		_, err = f.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeRunnerGone, "alpha")
	})
}

func TestWhoWantsAModelThatIsBeingLoadedWaits(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		done := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
			done <- err
		}()
		f.until("the load is under way", func(s candor.Serving) bool { return s.Work != nil })
		f.borrow("alpha").Return(modelhost.Served)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestBusyLowersAndSuccessRaisesTheSlots(t *testing.T) {
	within(t, modelhost.Options{Slots: 8}, simrt.Options{Slots: 8}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		all := make([]*modelhost.Loan, 8)
		for i := range all {
			all[i] = f.borrow("alpha")
		}
		for _, loan := range all { // of one round: they say the same thing
			loan.Return(modelhost.Busy)
		}
		if s := f.Serving(); s.Slots != 4 {
			t.Errorf("%d slots after one busy round", s.Slots)
		}
		for range 20 {
			f.borrow("alpha").Return(modelhost.Busy)
		}
		if s := f.Serving(); s.Slots != 1 || s.Take != 2 {
			t.Errorf("%d slots at the least", s.Slots)
		}
		f.borrow("alpha").Return(modelhost.Served)
		if s := f.Serving(); s.Slots != 2 {
			t.Errorf("%d slots after one served", s.Slots)
		}
		for range 100 {
			f.borrow("alpha").Return(modelhost.Served)
		}
		if s := f.Serving(); s.Slots != 8 {
			t.Errorf("%d slots at the most", s.Slots)
		}
	})
}

func TestAModelThatHasBecomeSlowIsNotLent(t *testing.T) {
	within(t, modelhost.Options{Fresh: time.Hour}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "endless")
		rows := func(n int) {
			for range n {
				loan := f.borrow("endless")
				if _, err := ask(t.Context(), loan, 30); err != nil {
					t.Fatal(err)
				}
				loan.Return(modelhost.Served)
			}
		}
		rows(6)
		f.sim.KillRunner("endless:latest") // and what comes back is on the CPU, though it is listed as before
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.OnCPU, Share: 1}); err != nil {
			t.Fatal(err)
		}
		rows(1)
		f.until("doubted", func(s candor.Serving) bool { return !ready("endless")(s) })
		_, err := f.Borrow(t.Context(), modelhost.Want{Model: "endless"}, nil)
		wantCode(t, err, runtime.CodeLoading, "tokens per second instead of")
		f.sim.Clear()
		if r := f.order(candor.OrderLoad, "endless"); !r.Changed && !ready("endless")(f.Serving()) {
			t.Errorf("a load does not mend it: %+v", r)
		}
		rows(1)
	})
}
