package ollama

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/runtime"
)

// What goes over the wire, to the byte: what is left out, Ollama chooses.
func TestWhatIsSent(t *testing.T) {
	bodies := map[string]string{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies[r.URL.Path] = string(b)
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case pathChat:
			_, _ = io.WriteString(w, `{"message":{"content":""},"done":true,"done_reason":"stop","eval_count":1}`)
		case pathEmbed:
			_, _ = io.WriteString(w, `{"embeddings":[[1]]}`)
		default:
			_, _ = io.WriteString(w, `{"models":[]}`)
		}
	}))
	defer web.Close()
	c := New(Options{URL: web.URL + "/", Clock: clock.System()})
	defer c.Close()
	seed, layers, cold, think := int64(7), 0, 0.0, false
	settings := runtime.Settings{Context: 2048, Layers: &layers, Threads: 3}
	if _, err := c.Generate(t.Context(), runtime.Request{
		Model: "m", Settings: settings, MaxTokens: 5, Think: &think, Schema: []byte(`{"type":"object"}`),
		Messages: []runtime.Message{{Role: "system", Text: "s"}, {Role: "user", Text: "<u>"}},
		Sampling: runtime.Sampling{Seed: &seed, Temperature: &cold, Stop: []string{"\n"}},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Embed(t.Context(), runtime.EmbedRequest{Model: "m", Settings: settings, Texts: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Unload(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pathChat:     `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"\u003cu\u003e"}],"format":{"type":"object"},"options":{"num_ctx":2048,"num_predict":5,"num_gpu":0,"num_thread":3,"seed":7,"temperature":0,"stop":["\n"]},"think":false,"keep_alive":-1,"truncate":false,"shift":false,"stream":true}`,
		pathEmbed:    `{"model":"m","input":["a"],"options":{"num_ctx":2048,"num_gpu":0,"num_thread":3},"keep_alive":-1,"truncate":false}`,
		pathGenerate: `{"model":"m","keep_alive":0,"stream":false}`,
	} {
		if bodies[path] != want {
			t.Errorf("%s:\n got %s\nwant %s", path, bodies[path], want)
		}
	}
}

// Whatever a server sends, an answer is either ended by its own word or an error.
func FuzzListen(f *testing.F) {
	f.Add("{\"message\":{\"content\":\"a\"}}\n{\"done\":true,\"done_reason\":\"stop\"}\n")
	f.Add("{\"error\":\"no\"}")
	f.Add("{\"done\":true}")
	f.Add("null\n[]\n")
	c := New(Options{URL: "http://nowhere", Clock: clock.System()})
	f.Fuzz(func(t *testing.T, text string) {
		dog := c.peer.Watch(t.Context(), DefaultFirst)
		defer dog.Stop()
		r, now := runtime.Request{Model: "m"}, c.clk.Now()
		flight := c.pulse.Begin("m", now)
		defer flight.End()
		l := &listener{client: c, request: r, dog: dog, next: DefaultNext, draft: runtime.NewDraft(r, flight, now, nil)}
		err := l.listen(&http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))})
		if err == nil && !strings.Contains(strings.ToLower(text), "done") && !strings.Contains(text, `\u`) {
			t.Errorf("%q was taken for a whole answer", text)
		}
		if err != nil && runtime.CodeOf(err) == "" {
			t.Errorf("%q: %v has no code", text, err)
		}
	})
}
