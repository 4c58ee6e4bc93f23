package modelhost_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/modelhost"
	"candor/internal/runtime"
	"candor/internal/simrt"
)

func TestALoadTellsWhatItDid(t *testing.T) {
	within(t, modelhost.Options{OnGPU: true}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		var kinds []string
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, func(p candor.Progress) { kinds = append(kinds, p.Kind) })
		if err != nil {
			t.Fatal(err)
		}
		if !r.Changed || len(r.Before) != 0 || names(r.After) != "alpha" || !r.After[0].Ready || r.LoadTook.D() < 20*time.Second {
			t.Errorf("result %+v", r)
		}
		if !slices.Contains(kinds, "load") {
			t.Errorf("progress %v", kinds)
		}
		if s := f.Serving(); !ready("alpha")(s) || !s.Simulated || s.Work != nil {
			t.Errorf("serving %+v", s)
		}
		again := f.order(candor.OrderLoad, "alpha:latest")
		if again.Changed {
			t.Errorf("a load of what is loaded changed %+v", again)
		}
		gone := f.order(candor.OrderUnload, "alpha")
		if !gone.Changed || len(gone.After) != 0 || len(f.Serving().Models) != 0 {
			t.Errorf("unload: %+v", gone)
		}
		if again := f.order(candor.OrderUnload, "alpha"); again.Changed {
			t.Errorf("a second unload changed %+v", again)
		}
	})
}

func TestWorkUnderWayIsSeen(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		f.order(candor.OrderUnload, "alpha")
		done := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
			done <- err
		}()
		passes(10 * time.Second)
		w := f.Serving().Work
		if w == nil || w.Kind != candor.OrderLoad || w.Model != "alpha" || w.For.D() < 9*time.Second || w.Usual.D() < 20*time.Second {
			t.Errorf("work %+v", w)
		}
		if s := f.Serving(); ready("alpha")(s) {
			t.Error("ready before a token")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestEvictionComesFirstAndIsTold(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		r := f.order(candor.OrderLoad, "gamma", "alpha", "never-there")
		if names(r.Before) != "alpha" || names(r.After) != "gamma" || !slices.Equal(r.Evicted, []string{"alpha"}) {
			t.Errorf("result %+v", r)
		}
	})
}

func TestUnloadWaitsForRequestsUnderWay(t *testing.T) {
	within(t, modelhost.Options{Drain: time.Minute}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		loan := f.borrow("alpha")
		done := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderUnload, Model: "alpha"}, nil)
			done <- err
		}()
		passes(20 * time.Second)
		if _, err := f.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil); runtime.CodeOf(err) != runtime.CodeRunnerGone {
			t.Errorf("a model that is to go is lent: %v", err)
		}
		if _, err := ask(t.Context(), loan, 20); err != nil {
			t.Errorf("a request under way: %v", err)
		}
		loan.Return(modelhost.Served)
		loan.Return(modelhost.Served)
		if err := <-done; err != nil || len(f.Serving().Models) != 0 {
			t.Errorf("%v, %+v", err, f.Serving())
		}

		f.order(candor.OrderLoad, "alpha")
		held := f.borrow("alpha")
		_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderUnload, Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeHeld, "1 requests of this worker")
		held.Return(modelhost.Served)
		if loan := f.borrow("alpha"); loan.Model != "alpha:latest" {
			t.Errorf("after the order: %+v", loan)
		}
	})
}

func TestAFailedLoadSaysWhatItPushedOut(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.NoMemory, Times: 1}); err != nil {
			t.Fatal(err)
		}
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "beta"}, nil)
		wantCode(t, err, runtime.CodeTooLarge, "gone from memory with it: alpha")
		if !slices.Equal(r.Evicted, []string{"alpha"}) || len(r.After) != 0 || !r.Changed || len(f.Serving().Models) != 0 {
			t.Errorf("result %+v", r)
		}
		_, err = f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "broken"}, nil)
		wantCode(t, err, runtime.CodeBroken)
		_, err = f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "nobody"}, nil)
		wantCode(t, err, runtime.CodeMissing)
		_, err = f.Do(t.Context(), candor.Order{Kind: "dance", Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeRefused)
	})
}

func TestAModelOnTheCPUIsNotAccepted(t *testing.T) {
	within(t, modelhost.Options{OnGPU: true}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.OnCPU, Share: 0.5, Times: 1}); err != nil {
			t.Fatal(err)
		}
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeOnCPU, "50 %")
		if len(r.After) != 0 || len(f.Serving().Models) != 0 {
			t.Errorf("it stays in memory: %+v", r)
		}
	})
}

// The server's account of its memory says nothing: only the rate does.
func TestAModelFarBelowItsUsualRateIsNotAccepted(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "endless")
		for range 6 {
			loan := f.borrow("endless")
			if _, err := ask(t.Context(), loan, 30); err != nil {
				t.Fatal(err)
			}
			loan.Return(modelhost.Served)
		}
		if m := find(f.Serving().Models, "endless"); m.Rate < 40 || m.Rate > 60 {
			t.Errorf("usual rate %v", m.Rate)
		}
		f.order(candor.OrderUnload, "endless")
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.OnCPU, Share: 1, Times: 1}); err != nil {
			t.Fatal(err)
		}
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "endless"}, nil)
		wantCode(t, err, runtime.CodeOnCPU, "tokens per second instead of 5")
		if len(r.After) != 0 {
			t.Errorf("it stays in memory: %+v", r.After)
		}
		f.order(candor.OrderLoad, "endless")
	})
}

func TestMemoryMustReallyBeFree(t *testing.T) {
	free := candor.GiB
	var looks int
	o := modelhost.Options{OnGPU: true, Card: func(context.Context) (modelhost.Card, error) {
		looks++
		return modelhost.Card{Free: free, Total: 24 * candor.GiB, Holders: []modelhost.Holder{{PID: 8812, Program: "python", Memory: 9 * candor.GiB}}}, nil
	}}
	within(t, o, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeHeld, "needs 4 GiB", "1 GiB of 24 GiB are free", "pid 8812 (python) with 9 GiB")
		if looks < 20 {
			t.Errorf("gave up after %d looks", looks)
		}
		free = 23 * candor.GiB
		f.order(candor.OrderLoad, "alpha")
		free = candor.GiB
		_, err = f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "beta"}, nil)
		wantCode(t, err, runtime.CodeHeld, "model alpha (4 GiB)")
		if !ready("alpha")(f.Serving()) {
			t.Error("a load that was not even begun cost another model")
		}
	})
	o.Card = func(context.Context) (modelhost.Card, error) {
		return modelhost.Card{Free: 3 * candor.GiB, Total: 3 * candor.GiB}, nil
	}
	within(t, o, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeTooLarge, "needs 4 GiB, 3 GiB")
	})
}

func TestALongerContextLoadsAnew(t *testing.T) {
	long := []simrt.Model{{Name: "alpha", Size: 1 << 30, Context: 32768, LoadTime: time.Second}}
	within(t, modelhost.Options{Context: 4096}, simrt.Options{Models: long}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		_, err := f.Borrow(t.Context(), modelhost.Want{Model: "alpha", Context: 8192}, nil)
		wantCode(t, err, runtime.CodeContextShort)
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha", Context: 16384}, nil)
		if err != nil || !r.Changed || r.After[0].Context != 16384 {
			t.Errorf("%+v, %v", r, err)
		}
		if r := f.order(candor.OrderLoad, "alpha"); r.Changed || r.After[0].Context != 16384 {
			t.Errorf("a shorter one is served as it is: %+v", r)
		}
	})
}

func TestPull(t *testing.T) {
	library := []simrt.Model{{Name: "delta", Size: 2 << 30}}
	within(t, modelhost.Options{}, simrt.Options{Library: library}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		_, before := f.Catalog()
		var last candor.Progress
		r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderPull, Model: "delta"}, func(p candor.Progress) {
			if p.Total > 0 {
				last = p
			}
		})
		if err != nil || !r.Changed {
			t.Fatalf("%+v, %v", r, err)
		}
		if last.Kind != "pull" || last.Total != 2<<30 || last.Done != 2<<30 {
			t.Errorf("progress %+v", last)
		}
		c, after := f.Catalog()
		if after <= before || !slices.ContainsFunc(c.Models, func(m candor.CatalogModel) bool { return m.Name == "delta" }) {
			t.Errorf("revision %d after %d: %+v", after, before, c)
		}
		if r := f.order(candor.OrderPull, "delta"); r.Changed {
			t.Errorf("a second pull changed %+v", r)
		}
		_, err = f.Do(t.Context(), candor.Order{Kind: candor.OrderPull, Model: "nobody"}, nil)
		wantCode(t, err, runtime.CodeMissing, "does not exist")
	})
}

func TestALoadThatTakesTooLong(t *testing.T) {
	within(t, modelhost.Options{LoadTimeout: 30 * time.Second}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.SlowLoad, DelayMS: 600_000, Times: 1}); err != nil {
			t.Fatal(err)
		}
		_, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeLoading, "30s")
		f.order(candor.OrderLoad, "alpha")
	})
}

func TestOrdersGoOneByOne(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		done := make(chan string, 2)
		for _, name := range []string{"alpha", "beta"} {
			go func() {
				r, err := f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: name}, nil)
				done <- fmt.Sprint(len(r.Before), len(r.After), err)
			}()
		}
		got := []string{<-done, <-done}
		slices.Sort(got)
		if strings.Join(got, "; ") != "0 1 <nil>; 1 2 <nil>" {
			t.Errorf("%v", got)
		}
	})
}
