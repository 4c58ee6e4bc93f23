package modelhost_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"candor"
	"candor/internal/modelhost"
	"candor/internal/runtime"
	"candor/internal/simrt"
)

// load has another client load a model.
func (f *fixture) stranger(model string) {
	f.t.Helper()
	c := ollamaClient(f)
	if _, err := c.Load(f.t.Context(), runtime.LoadRequest{Model: model, Settings: runtime.Settings{Context: 2048}}); err != nil {
		f.t.Fatal(err)
	}
}

func TestWhatIsLoadedAlreadyIsProbedBeforeItCounts(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.stranger("beta")
		s := f.until("listed", func(s candor.Serving) bool { return len(s.Models) == 1 })
		if m := s.Models[0]; m.Name != "beta" || m.Context != 2048 || m.Digest == "" {
			t.Errorf("%+v", m)
		}
		f.until("ready", ready("beta"))
		loan := f.borrow("beta")
		if loan.Settings.Context != 2048 || !loan.Simulated || loan.URL != "http://server/v1" {
			t.Errorf("loan %+v", loan)
		}
		if a, err := ask(t.Context(), loan, 10); err != nil || a.Times.Load > time.Second {
			t.Errorf("the request loaded it anew: %+v, %v", a, err)
		}
		loan.Return(modelhost.Served)
	})
}

func TestAModelThatGivesNoTokenIsListedAndNotReady(t *testing.T) {
	within(t, modelhost.Options{LoadTimeout: 5 * time.Minute}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.stranger("beta")
		f.until("ready", ready("beta"))
		thaw := f.sim.FreezeRunner("beta:latest")
		s := f.until("given up", func(s candor.Serving) bool { return s.State == candor.ServerDown })
		if want := "has not produced a token for 1m though its API answers"; !contains(s.Text, want) || s.Take != 0 {
			t.Errorf("%+v lacks %q", s, want)
		}
		_, err := f.Borrow(t.Context(), modelhost.Want{Model: "beta"}, nil)
		wantCode(t, err, runtime.CodeHung, "is down")
		_, err = f.Do(t.Context(), candor.Order{Kind: candor.OrderLoad, Model: "beta"}, nil)
		wantCode(t, err, runtime.CodeHung)
		thaw()
		f.until("up again", up)
		f.until("ready again", ready("beta"))
	})
}

func TestEvictionByAnotherClientIsSeen(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{MaxLoaded: 1}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		drainChanged(f)
		f.stranger("beta")
		select {
		case <-f.Changed():
		case <-time.After(5 * time.Second):
			t.Error("nobody was told")
		}
		if find(f.Serving().Models, "alpha") != nil {
			t.Errorf("%+v", f.Serving())
		}
		_, err := f.Borrow(t.Context(), modelhost.Want{Model: "alpha"}, nil)
		wantCode(t, err, runtime.CodeRunnerGone, "alpha")
	})
}

func TestADeadRunnerIsFoundThoughItIsListed(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		f.sim.KillRunner("alpha:latest")
		loan := f.borrow("alpha")
		// Its next request brings it back, after the time of a load.
		a, err := ask(t.Context(), loan, 10)
		if err != nil || a.Times.Load < 10*time.Second {
			t.Errorf("%+v, %v", a, err)
		}
		loan.Return(modelhost.Served)

		f.sim.KillRunner("alpha:latest")
		passes(time.Minute) // idle: it is asked for a token once a minute
		f.until("asked for a token", func(s candor.Serving) bool {
			m := find(s.Models, "alpha")
			return m != nil && m.Ready && m.Token.D() < 5*time.Second
		})
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.RunnerDeath, After: 3, Times: 1}); err != nil {
			t.Fatal(err)
		}
		loan = f.borrow("alpha")
		_, err = ask(t.Context(), loan, 10)
		wantCode(t, err, runtime.CodeRunnerGone)
		if ready("alpha")(f.Serving()) {
			t.Error("ready after its process died")
		}
		loan.Return(modelhost.Faulted)
		f.until("ready again", ready("alpha"))
	})
}

// F27: the API is green, generate never answers.
func TestHungWithGreenHealth(t *testing.T) {
	within(t, modelhost.Options{Slots: 4}, simrt.Options{Slots: 4}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.Hang, After: 2}); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 2)
		for range 2 {
			loan := f.borrow("alpha")
			go func() {
				_, err := ask(t.Context(), loan, 10)
				loan.Return(modelhost.Faulted)
				ended <- err
			}()
		}
		for range 2 {
			err := <-ended
			wantCode(t, err, runtime.CodeHung, "has not produced a token for 1m", "though its API answers; 2 requests wait")
			if !runtime.CodeOf(err).Passes() {
				t.Error("the task is to blame")
			}
		}
		s := f.until("down", func(s candor.Serving) bool { return s.State == candor.ServerDown })
		if !contains(s.Text, "though its API answers") {
			t.Errorf("text %q", s.Text)
		}
		passes(10 * time.Minute)
		if up(f.Serving()) {
			t.Error("up without a token")
		}
		f.sim.Clear()
		f.until("up again", up)
	})
}

// A long prompt is read in silence, which is no hang.
func TestReadingALongPromptIsNoHang(t *testing.T) {
	slow := []simrt.Model{{Name: "alpha", Size: 1 << 30, Context: 1 << 20, LoadTime: time.Second, PromptRate: 100, Rate: 100}}
	within(t, modelhost.Options{Context: 1 << 20, TokenPatience: 20 * time.Second}, simrt.Options{Models: slow}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "alpha")
		loan := f.borrow("alpha")
		long := make([]byte, 60_000)
		for i := range long {
			long[i] = 'x'
			if i%5 == 4 {
				long[i] = ' '
			}
		}
		a, err := loan.Server.Generate(t.Context(), runtime.Request{
			Model: "alpha", MaxTokens: 5, Messages: []runtime.Message{{Role: "user", Text: string(long)}},
		}, nil)
		loan.Return(modelhost.Served)
		if err != nil || a.Times.FirstToken < time.Minute {
			t.Errorf("%+v, %v", a.Times, err)
		}
	})
}

func TestAFrozenServerIsGivenUp(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "endless")
		loan := f.borrow("endless")
		thaw := f.sim.Freeze()
		_, err := ask(t.Context(), loan, 4000)
		wantCode(t, err, runtime.CodeHung)
		loan.Return(modelhost.Faulted)
		f.until("down", func(s candor.Serving) bool { return s.State == candor.ServerDown })
		thaw()
		f.until("ready", ready("endless"))
	})
}

func TestADeadServerIsDownAndComesBack(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "endless")
		loan := f.borrow("endless")
		ended := make(chan error, 1)
		go func() {
			_, err := ask(t.Context(), loan, 4000)
			ended <- err
		}()
		passes(5 * time.Second)
		f.sim.Kill()
		err := <-ended
		wantCode(t, err, runtime.CodeGone)
		f.until("down", func(s candor.Serving) bool { return s.State == candor.ServerDown && len(s.Models) == 0 })
		f.at.set(simrt.New(simulation()))
		f.until("up", up)
		if s := f.Serving(); len(s.Models) != 0 {
			t.Errorf("loaded by itself: %+v", s)
		}
		loan.Return(modelhost.Faulted) // of a former life
		if s := f.Serving(); s.Slots != 1 {
			t.Errorf("slots %d", s.Slots)
		}
		f.order(candor.OrderLoad, "alpha")
	})
}

func TestAStrangerIsNamed(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		f.at.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "teapot/1")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("<html>"))
		}))
		s := f.until("a stranger", func(s candor.Serving) bool { return s.State == candor.ServerStranger })
		if !contains(s.Text, "teapot/1") || !contains(s.Text, "is not ollama") {
			t.Errorf("text %q", s.Text)
		}
		f.at.set(f.sim)
		f.until("up", up)
	})
}

func TestTheCatalogFollowsTheServer(t *testing.T) {
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.until("up", up)
		c, first := f.Catalog()
		if first != 1 || len(c.Models) != len(models()) || c.Models[0].Name != "alpha" || c.Models[0].Size != 4*candor.GiB {
			t.Errorf("revision %d: %+v", first, c)
		}
		passes(5 * time.Minute)
		if _, again := f.Catalog(); again != first {
			t.Errorf("revision %d without a change", again)
		}
		small := simulation()
		small.Models = small.Models[:1]
		f.at.set(simrt.New(small))
		passes(5 * time.Minute)
		if c, second := f.Catalog(); second != 2 || len(c.Models) != 1 {
			t.Errorf("revision %d: %+v", second, c)
		}
	})
}

func TestRequestsUnderWayHearThatTheWorkerEnds(t *testing.T) {
	var loan *modelhost.Loan
	ended := make(chan error, 1)
	within(t, modelhost.Options{}, simrt.Options{}, func(t *testing.T, f *fixture) {
		f.order(candor.OrderLoad, "endless")
		loan = f.borrow("endless")
		f.stop()
		_, err := ask(context.Background(), loan, 4000)
		loan.Return(modelhost.Faulted)
		if runtime.CodeOf(err) != runtime.CodeGone {
			t.Errorf("%v", err)
		}
		_, err = f.Borrow(t.Context(), modelhost.Want{Model: "endless"}, nil)
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		close(ended)
	})
	<-ended
}
