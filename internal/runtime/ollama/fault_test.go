package ollama_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

const model = "tiny:latest"

// tiny is a simulated server with one model.
func tiny(t *testing.T, shape func(*simrt.Model)) (*simrt.Server, *ollama.Client) {
	t.Helper()
	m := simrt.Model{Name: "tiny", Size: 1 << 30, PerToken: 1 << 10, Rate: 500}
	if shape != nil {
		shape(&m)
	}
	return simulated(t, simrt.Options{VRAM: int64(8 * candor.GiB), RAM: int64(8 * candor.GiB), Models: []simrt.Model{m}})
}

func request() runtime.Request {
	return runtime.Request{
		Model: model, Settings: runtime.Settings{Context: 512}, MaxTokens: 30,
		Messages: []runtime.Message{{Role: "user", Text: "Say something."}},
		Patience: runtime.Patience{First: time.Second, Next: time.Second},
	}
}

func loading() runtime.LoadRequest {
	return runtime.LoadRequest{Model: model, Settings: runtime.Settings{Context: 512}, OnGPU: true}
}

func wantCode(t *testing.T, err error, want runtime.Code) *runtime.Error {
	t.Helper()
	e, _ := errors.AsType[*runtime.Error](err)
	if e == nil || e.Code != want {
		t.Fatalf("error %v, want code %q", err, want)
	}
	return e
}

func order(t *testing.T, sim *simrt.Server, f simrt.Fault) {
	t.Helper()
	if err := sim.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// Every way in which an answer goes wrong has its code, and leaves the next
// answer well.
func TestAnswersThatGoWrong(t *testing.T) {
	for _, c := range []struct {
		kind   simrt.Kind
		after  int
		want   runtime.Code
		tokens int
	}{
		{simrt.Error, 0, runtime.CodeServerFault, 0},
		{simrt.Busy, 0, runtime.CodeBusy, 0},
		{simrt.Hang, 0, runtime.CodeHung, 0},
		{simrt.Hang, 3, runtime.CodeHung, 3},
		{simrt.Cut, 3, runtime.CodeIncomplete, 3},
		{simrt.InBand, 3, runtime.CodeServerFault, 3},
		{simrt.RunnerDeath, 0, runtime.CodeRunnerGone, 0},
		{simrt.RunnerDeath, 3, runtime.CodeRunnerGone, 3},
		{simrt.Repeat, 0, runtime.CodeRunaway, 0},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			sim, client := tiny(t, func(m *simrt.Model) { m.Endless = true })
			order(t, sim, simrt.Fault{Kind: c.kind, After: c.after, Times: 1})
			r := request()
			r.MaxTokens = 100
			a, err := client.Generate(t.Context(), r, nil)
			wantCode(t, err, c.want)
			if c.kind != simrt.Repeat && a.Tokens != c.tokens || a.End != runtime.EndNone {
				t.Errorf("answer %+v, want %d tokens and no end", a, c.tokens)
			}
			if _, err := client.Generate(t.Context(), r, nil); err != nil {
				t.Errorf("the next answer: %v", err)
			}
		})
	}
}

func TestServerDiesMidAnswer(t *testing.T) {
	sim, client := tiny(t, func(m *simrt.Model) { m.Endless = true })
	order(t, sim, simrt.Fault{Kind: simrt.Death, After: 3})
	_, err := client.Generate(t.Context(), request(), nil)
	if e := wantCode(t, err, runtime.CodeGone); e.Detail[runtime.DetailTokens] != 3 {
		t.Errorf("operands %v", e.Detail)
	}
}

// A server that cuts the prompt although it was told not to gives a well-formed
// answer; only the count of what it read tells.
func TestPromptCutInSilence(t *testing.T) {
	sim, client := tiny(t, func(m *simrt.Model) { m.Length = 1 })
	order(t, sim, simrt.Fault{Kind: simrt.Truncate, Times: 1})
	r := request()
	r.Messages[0].Text = strings.Repeat("word ", 4000)
	a, err := client.Generate(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := wantCode(t, runtime.Judge(r, a), runtime.CodeTruncated)
	if e.Detail[runtime.DetailActual] != 512 || e.Detail[runtime.DetailSize] != 20000 {
		t.Errorf("operands %v", e.Detail)
	}
}

func TestLoadsThatGoWrong(t *testing.T) {
	for _, c := range []struct {
		fault simrt.Fault
		want  runtime.Code
	}{
		{simrt.Fault{Kind: simrt.NoMemory}, runtime.CodeTooLarge},
		{simrt.Fault{Kind: simrt.LoadFails}, runtime.CodeBroken},
		{simrt.Fault{Kind: simrt.OnCPU}, runtime.CodeOnCPU},
		{simrt.Fault{Kind: simrt.OnCPU, Share: 0.5}, runtime.CodeOnCPU},
		{simrt.Fault{Kind: simrt.SlowLoad, DelayMS: 60_000}, runtime.CodeLoading},
		{simrt.Fault{Kind: simrt.Hang}, runtime.CodeLoading},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			t.Parallel()
			sim, client := tiny(t, nil)
			order(t, sim, c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := client.Load(ctx, loading())
			wantCode(t, err, c.want)
		})
	}
}

// The digest that was asked for is what the name stood for yesterday.
func TestContentChangesUnderItsName(t *testing.T) {
	sim, client := tiny(t, nil)
	models, err := client.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	load := loading()
	load.Digest = models[0].Digest
	if _, err := client.Load(t.Context(), load); err != nil {
		t.Fatal(err)
	}
	order(t, sim, simrt.Fault{Kind: simrt.WrongDigest})
	if _, err := client.Loaded(t.Context()); err != nil { // as a health check does
		t.Fatal(err)
	}
	r := request()
	r.Digest = load.Digest
	_, err = client.Generate(t.Context(), r, nil)
	wantCode(t, err, runtime.CodeNotThisModel)
	_, err = client.Load(t.Context(), load)
	wantCode(t, err, runtime.CodeNotThisModel)
}

func TestLoadEvictsBeforeItFails(t *testing.T) {
	_, client := simulated(t, simrt.Options{VRAM: 4 << 30, Models: []simrt.Model{
		{Name: "a", Size: 1 << 30}, {Name: "b", Size: 1 << 30}, {Name: "vast", Size: 1 << 40},
	}})
	for _, name := range []string{"a", "b"} {
		if _, err := client.Load(t.Context(), runtime.LoadRequest{Model: name, Settings: runtime.Settings{Context: 512}, OnGPU: true}); err != nil {
			t.Fatal(err)
		}
	}
	change, err := client.Load(t.Context(), runtime.LoadRequest{Model: "vast", Settings: runtime.Settings{Context: 512}})
	wantCode(t, err, runtime.CodeTooLarge)
	if got := strings.Join(change.Evicted, " "); got != "a:latest b:latest" || !change.Changed {
		t.Errorf("evicted %q, changed %v", got, change.Changed)
	}
}

func TestProgressTellsTheSizeBeforeTheModelIsReady(t *testing.T) {
	_, client := tiny(t, func(m *simrt.Model) { m.LoadTime = 800 * time.Millisecond })
	var steps []runtime.Progress
	load := loading()
	load.Progress = func(p runtime.Progress) { steps = append(steps, p) }
	if _, err := client.Load(t.Context(), load); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 3 || steps[1].Phase != runtime.PhaseListed || steps[1].Resident.Size == 0 {
		t.Errorf("steps %+v", steps)
	}
}

func TestEmbeddingModelIsReadyByAVector(t *testing.T) {
	_, client := tiny(t, func(m *simrt.Model) { m.EmbedsOnly = true })
	change, err := client.Load(t.Context(), loading())
	if err != nil || !change.Changed {
		t.Fatalf("%+v, %v", change, err)
	}
	_, err = client.Generate(t.Context(), request(), nil)
	wantCode(t, err, runtime.CodeRefused)
}

func TestSimulationSaysSo(t *testing.T) {
	_, client := tiny(t, nil)
	id, err := client.Identify(t.Context())
	if err != nil || !id.Simulated || !strings.HasSuffix(id.Version, "simulated") {
		t.Errorf("%+v, %v", id, err)
	}
}

// Strangers on the port: what answers is named, not guessed at.
func TestAnotherProgramOnThePort(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"a web server": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "nginx")
			http.Error(w, "404 page not found", http.StatusNotFound)
		},
		"one that sends elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
		"a page":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"another JSON": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{"status":"ok"}`) },
		"JSON without a version": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"File Not Found"}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := against(t, serve)
			_, err := client.Identify(t.Context())
			e := wantCode(t, err, runtime.CodeNotOurs)
			if e.Detail[runtime.DetailStatus] == nil {
				t.Errorf("operands %v", e.Detail)
			}
		})
	}
}

func TestGarbledAnswer(t *testing.T) {
	client := against(t, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, "{\"message\":{\"content\":\"a\"}}\n{\"mess")
	})
	_, err := client.Generate(t.Context(), request(), nil)
	wantCode(t, err, runtime.CodeGarbled)
}

func against(t *testing.T, serve http.HandlerFunc) *ollama.Client {
	t.Helper()
	web := httptest.NewServer(serve)
	t.Cleanup(web.Close)
	client := ollama.New(ollama.Options{URL: web.URL, Clock: clock.System()})
	t.Cleanup(client.Close)
	return client
}

func writeJSON(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
}
