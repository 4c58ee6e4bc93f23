package simrt_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"candor/internal/simrt"
)

const gib = 1 << 30

func cards(models ...simrt.Model) simrt.Options {
	return simrt.Options{VRAM: 8 * gib, RAM: 0, Models: models}
}

func TestTimeIsAsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib, LoadTime: 40 * time.Second, Rate: 10, PromptRate: 100, Endless: true}))
		began := time.Now()
		_, lines := f.ask(`{"model":"m","prompt":"` + strings.Repeat("x", 384) + `","options":{"num_predict":21},"stream":false}`)
		// 40 s of loading, 1 s for 100 tokens of prompt, 2 s for the 20 tokens after the first.
		if got := time.Since(began); got != 43*time.Second {
			t.Errorf("took %s", got)
		}
		l := lines[0]
		if !l.Done || l.Reason != "length" || l.Read != 100 || l.Wrote != 21 || time.Duration(l.Load) != 40*time.Second {
			t.Errorf("%+v", l)
		}
		began = time.Now()
		f.ask(`{"model":"m","prompt":"x","options":{"num_predict":1}}`)
		if got := time.Since(began); got > time.Second {
			t.Errorf("a loaded model took %s", got)
		}
	})
}

func TestAModelThatLoadsIsListedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib, LoadTime: 40 * time.Second}))
		go f.do(http.MethodPost, "/api/generate", `{"model":"m"}`)
		time.Sleep(10 * time.Second)
		for i, want := range []string{"", "m:latest", "m:latest"} { // after 10, 30 and 50 s
			if got := names(f.loaded()); got != want {
				t.Errorf("look %d: %q, want %q", i, got, want)
			}
			time.Sleep(20 * time.Second)
		}
	})
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib}))
		for _, c := range []struct {
			keep  string
			after time.Duration
			still bool
		}{
			{`"10m"`, 9 * time.Minute, true},
			{`"10m"`, 11 * time.Minute, false},
			{`60`, 61 * time.Second, false},
			{`-1`, 10000 * time.Hour, true},
			{`0`, 0, false},
			{`null`, 4 * time.Minute, true},
			{`null`, 6 * time.Minute, false},
		} {
			f.ask(`{"model":"m","prompt":"hello","keep_alive":` + c.keep + `}`)
			time.Sleep(c.after)
			if got := len(f.loaded()) == 1; got != c.still {
				t.Errorf("keep_alive %s after %s: loaded %v", c.keep, c.after, got)
			}
		}
		if status, _ := f.ask(`{"model":"m","keep_alive":"soon"}`); status != http.StatusBadRequest {
			t.Errorf("status %d", status)
		}
	})
}

// Whatever is asked in whatever order, memory is never overspent, a model is
// never lost, and every request is answered.
func TestMemoryIsAccounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := cards(
			simrt.Model{Name: "a", Size: 3 * gib, LoadTime: 3 * time.Second, Rate: 10},
			simrt.Model{Name: "b", Size: 4 * gib, LoadTime: 4 * time.Second, Rate: 20},
			simrt.Model{Name: "c", Size: 5 * gib, LoadTime: 5 * time.Second, Rate: 30},
			simrt.Model{Name: "d", Size: 8 * gib, LoadTime: 8 * time.Second, Rate: 40},
		)
		o.Slots = 2
		f := newFixture(t, o)
		done := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 700 * time.Millisecond)
				status, lines := f.ask(`{"model":"` + "abcd"[i%4:i%4+1] + `","prompt":"hello"}`)
				if status != http.StatusOK || !lines[len(lines)-1].Done {
					t.Errorf("request %d: status %d", i, status)
				}
			})
		}
		go func() { wg.Wait(); close(done) }()
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			spent := int64(0)
			for _, r := range f.loaded() {
				spent += r.VRAM
			}
			if spent > 8*gib {
				t.Fatalf("%d bytes are spent", spent)
			}
		}
	})
}

func TestBusyModelsAreNotPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, cards(
			simrt.Model{Name: "a", Size: 6 * gib, Rate: 10, Endless: true},
			simrt.Model{Name: "b", Size: 6 * gib},
		))
		go f.do(http.MethodPost, "/api/generate", `{"model":"a","prompt":"hello","options":{"num_predict":101}}`)
		time.Sleep(time.Second)
		began := time.Now()
		f.ask(`{"model":"b","prompt":"hello"}`)
		if got := time.Since(began); got != 9*time.Second || names(f.loaded()) != "b:latest" {
			t.Errorf("waited %s, loaded %s", got, names(f.loaded()))
		}
	})
}

func TestSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := cards(simrt.Model{Name: "m", Size: 10 * gib, Rate: 100, Endless: true})
		o.RAM = 4 * gib
		f := newFixture(t, o)
		_, lines := f.ask(`{"model":"m","prompt":"hello","options":{"num_predict":11},"stream":false}`)
		if got := time.Duration(lines[0].Eval).Round(time.Millisecond); got != time.Second {
			t.Errorf("10 tokens in %s, want a tenth of 100 a second", got)
		}
		if r := f.loaded()[0]; r.VRAM != 8*gib || r.Size != 10*gib {
			t.Errorf("%+v", r)
		}
	})
}

func TestUnloadWhileBusyIsSaidBeforeItIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib, Rate: 10, Endless: true}))
		go f.do(http.MethodPost, "/api/generate", `{"model":"m","prompt":"hello","options":{"num_predict":101}}`)
		time.Sleep(time.Second)
		if _, lines := f.ask(`{"model":"m","keep_alive":0}`); lines[0].Reason != "unload" {
			t.Errorf("%+v", lines)
		}
		if all := f.loaded(); len(all) != 1 || all[0].Expires.After(time.Now()) {
			t.Errorf("draining: %+v", all)
		}
		time.Sleep(10 * time.Second)
		if all := f.loaded(); len(all) != 0 {
			t.Errorf("drained: %+v", all)
		}
	})
}

func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := cards(simrt.Model{Name: "m", Size: gib, Rate: 10})
		o.Queue = 2
		f := newFixture(t, o)
		busy := make(chan bool, 8)
		for range 8 {
			go func() {
				status, _ := f.ask(`{"model":"m","prompt":"hello"}`)
				busy <- status == http.StatusServiceUnavailable
			}()
		}
		n := 0
		for range 8 {
			if <-busy {
				n++
			}
		}
		if n != 5 { // one is served, two wait
			t.Errorf("%d of 8 were turned away", n)
		}
	})
}

func TestSameSeedSameText(t *testing.T) {
	text := func(seed, prompt string) string {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib}))
		_, lines := f.ask(`{"model":"m","prompt":"` + prompt + `","options":{"seed":` + seed + `},"stream":false}`)
		return lines[0].Response
	}
	first := text("1", "hello")
	if first == "" || first != text("1", "hello") || first == text("2", "hello") || first == text("1", "goodbye") {
		t.Errorf("%q", first)
	}
}

func TestPullAndDelete(t *testing.T) {
	o := cards()
	o.Library = []simrt.Model{{Name: "new", Size: gib}}
	f := newFixture(t, o)
	if _, text := f.do(http.MethodPost, "/api/pull", `{"model":"new"}`); !strings.Contains(text, `"success"`) {
		t.Errorf("pull: %s", text)
	}
	if status, _ := f.ask(`{"model":"new","prompt":"hello"}`); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if status, text := f.do(http.MethodPost, "/api/pull", `{"model":"nope"}`); status != http.StatusOK || !strings.Contains(text, `"error"`) {
		t.Errorf("a failed pull: %d %s", status, text)
	}
	if status, _ := f.do(http.MethodDelete, "/api/delete", `{"model":"new"}`); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
	if status, _ := f.ask(`{"model":"new","prompt":"hello"}`); status != http.StatusNotFound || len(f.loaded()) != 0 {
		t.Errorf("deleted: status %d, loaded %v", status, f.loaded())
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib}))
	if status, _ := f.do(http.MethodPost, "/simulated/faults", `{"kind":"error","model":"m:latest","times":2}`); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	for i, want := range []int{500, 500, 200} {
		if status, _ := f.ask(`{"model":"m","prompt":"hello"}`); status != want {
			t.Errorf("request %d: status %d, want %d", i, status, want)
		}
	}
	f.do(http.MethodPost, "/simulated/faults", `{"kind":"busy"}`)
	_, text := f.do(http.MethodGet, "/simulated/faults", "")
	var list struct {
		Faults []simrt.Fault
		Kinds  []simrt.Kind
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Faults) != 1 || len(list.Kinds) != len(simrt.Kinds()) {
		t.Errorf("%s, %v", text, err)
	}
	f.do(http.MethodDelete, "/simulated/faults", "")
	if n := len(f.sim.Faults()); n != 0 {
		t.Errorf("%d faults are left", n)
	}
	if status, _ := f.do(http.MethodPost, "/simulated/faults", `{"kind":"earthquake"}`); status != http.StatusBadRequest {
		t.Errorf("an unknown fault: status %d", status)
	}
}

// A stream has begun when its runner dies; a whole answer has not.
func TestRunnerDeathInEitherForm(t *testing.T) {
	for stream, want := range map[string]int{"true": http.StatusOK, "false": http.StatusInternalServerError} {
		f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib}))
		if err := f.sim.Inject(simrt.Fault{Kind: simrt.RunnerDeath, Times: 1}); err != nil {
			t.Fatal(err)
		}
		status, lines := f.ask(`{"model":"m","prompt":"hello","stream":` + stream + `}`)
		if status != want || len(lines) != 1 || !strings.Contains(lines[0].Error, "unexpected EOF") {
			t.Errorf("stream %s: %d %+v", stream, status, lines)
		}
		if names(f.loaded()) != "m:latest" {
			t.Error("the dead runner is not listed")
		}
		if status, _ := f.ask(`{"model":"m","prompt":"hello"}`); status != http.StatusOK {
			t.Errorf("the next request: %d", status)
		}
	}
}

// A server without a grammar: what it says around the JSON, and instead of it.
func TestAnswersWithoutAGrammar(t *testing.T) {
	f := newFixture(t, cards(simrt.Model{Name: "m", Size: gib}))
	const request = `{"model":"m","prompt":"x","stream":false,"format":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]},"options":{"seed":1}}`
	_, sound := f.ask(request)
	for kind, want := range map[simrt.Kind]string{
		simrt.Prose:     "Here is what you asked for:\n```json\n" + sound[0].Response + "\n```\nI hope it helps.",
		simrt.OffSchema: `{"simulated": "off schema"}`,
	} {
		if err := f.sim.Inject(simrt.Fault{Kind: kind, Times: 1}); err != nil {
			t.Fatal(err)
		}
		f.do(http.MethodPost, "/api/generate", `{"model":"m","prompt":"free text does not use it up"}`)
		if _, got := f.ask(request); got[0].Response != want {
			t.Errorf("%s: %q, want %q", kind, got[0].Response, want)
		}
		if _, got := f.ask(request); got[0].Response != sound[0].Response {
			t.Errorf("after %s: %q", kind, got[0].Response)
		}
	}
}
