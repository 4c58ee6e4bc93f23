package openaiwire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire speaks to a server that answers as it is told.
func wire(t *testing.T, answer http.HandlerFunc) Wire {
	t.Helper()
	web := httptest.NewServer(answer)
	w := Wire{
		Peer: exchange.Peer{URL: web.URL, HTTP: exchange.NewHTTP(nil), Clock: clock.System()}, Kind: runtime.OpenAI,
		Pulse: &runtime.Pulse{}, Patience: runtime.Patience{First: 2 * time.Second, Next: 200 * time.Millisecond},
	}
	t.Cleanup(func() {
		w.Peer.HTTP.CloseIdleConnections()
		web.CloseClientConnections()
		web.Close()
	})
	return w
}

// says answers with one body.
func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func request() runtime.Request {
	return runtime.Request{
		Model: "m", Settings: runtime.Settings{Context: 512}, MaxTokens: 30,
		Messages: []runtime.Message{{Role: "user", Text: "Say something."}},
	}
}

// What goes over the wire, to the byte.
func TestWhatIsSent(t *testing.T) {
	bodies := map[string]string{}
	w := wire(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies[r.URL.Path] = string(b)
		if r.URL.Path == pathEmbed {
			_, _ = io.WriteString(w, `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":2}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	})
	w.Name = strings.ToUpper
	seed, cold, top, repeat, think := int64(7), 0.0, 3, 1.1, false
	r := request()
	r.Schema, r.Think = []byte(`{"type":"object"}`), &think
	r.Sampling = runtime.Sampling{Seed: &seed, Temperature: &cold, TopK: &top, RepeatPenalty: &repeat, Stop: []string{"\n"}}
	if _, err := w.Chat(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	e, err := w.Embed(t.Context(), runtime.EmbedRequest{Model: "m", Texts: []string{"a", "b"}})
	if err != nil || e.Vectors[0][0] != 1 || e.Vectors[1][0] != 2 || e.PromptTokens != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	want := map[string]string{
		pathChat: `{"model":"M","messages":[{"role":"user","content":"Say something."}],"max_tokens":30,"stream":true,"stream_options":{"include_usage":true},` +
			`"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},` +
			`"seed":7,"temperature":0,"stop":["\n"],"top_k":3,"repeat_penalty":1.1,"repetition_penalty":1.1,"chat_template_kwargs":{"enable_thinking":false}}`,
		pathEmbed: `{"model":"M","input":["a","b"]}`,
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Error(diff)
	}
}

const (
	hi      = `data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}` + "\n\n"
	stop    = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usage12 = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}` + "\n\n"
	done    = "data: [DONE]\n\n"
)

// However a stream goes, it is either ended by the server's own words or an
// error that says why not.
func TestStreams(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       runtime.Code
		end        runtime.End
		tokens     int
	}{
		{"whole", hi + hi + stop + usage12 + done, "", runtime.EndStop, 12},
		{"without usage", hi + hi + stop + done, "", runtime.EndStop, 2},
		{"cut at its limit", hi + strings.Replace(stop, "stop", "length", 1) + done, "", runtime.EndLength, 1},
		{"with comments and names", ": ping\nevent: message\nid: 7\n" + hi + stop + done, "", runtime.EndStop, 1},
		{"thoughts", `data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}` + "\n" + `data: {"choices":[{"delta":{"reasoning":"hm"}}]}` + "\n" + stop + done, "", runtime.EndStop, 2},
		{"a second choice", `data: {"choices":[{"index":1,"delta":{"content":"no"}}]}` + "\n" + hi + stop + done, "", runtime.EndStop, 1},
		{"no reason", hi + done, runtime.CodeIncomplete, "", 1},
		{"no end", hi + stop, runtime.CodeIncomplete, "", 1},
		{"cut", hi, runtime.CodeIncomplete, "", 1},
		{"cut for repeating", strings.Repeat(hi, 40), runtime.CodeRunaway, "", 32},
		{"broken off by the server", hi + strings.Replace(stop, "stop", "abort", 1) + done, runtime.CodeIncomplete, "", 1},
		{"filtered", hi + strings.Replace(stop, "stop", "content_filter", 1) + done, runtime.CodeRefused, "", 1},
		{"the model's process died", hi + "proxy error: Failed to read connection", runtime.CodeRunnerGone, "", 1},
		{"an error inside", hi + `data: {"error":{"message":"an error was encountered while running the model: unexpected EOF"}}` + "\n", runtime.CodeRunnerGone, "", 1},
		{"an error of old", hi + `error: {"code":500,"message":"slot gone"}` + "\n", runtime.CodeServerFault, "", 1},
		{"an error instead", `{"error":{"message":"Loading model","code":503}}`, runtime.CodeLoading, "", 0},
		{"no event", "hello\n", runtime.CodeGarbled, "", 0},
		{"no JSON", "data: {\n", runtime.CodeGarbled, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := c.body
			if c.name == "cut for repeating" {
				body = strings.ReplaceAll(body, "hi", strings.Repeat("hi", 20))
			}
			a, err := wire(t, says(http.StatusOK, "text/event-stream", body)).Chat(t.Context(), request(), nil)
			if runtime.CodeOf(err) != c.want || (err == nil) != (c.want == "") {
				t.Fatalf("error %v, want code %q", err, c.want)
			}
			if a.End != c.end || a.Tokens != c.tokens {
				t.Errorf("end %q after %d tokens, want %q after %d", a.End, a.Tokens, c.end, c.tokens)
			}
		})
	}
}

// Comments keep a proxy's connection, and say nothing of the model.
func TestPingsAreNoSignOfLife(t *testing.T) {
	w := wire(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, hi)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			_, _ = io.WriteString(w, ": ping\n\n")
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	a, err := w.Chat(t.Context(), request(), nil)
	if runtime.CodeOf(err) != runtime.CodeHung || a.Tokens != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Where a server measures nothing, the time between its pieces is what it took.
func TestTimes(t *testing.T) {
	timed := strings.Replace(usage12, `"choices"`, `"timings":{"prompt_ms":1.5,"predicted_ms":24},"choices"`, 1)
	a, err := wire(t, says(http.StatusOK, "text/event-stream", hi+stop+timed+done)).Chat(t.Context(), request(), nil)
	if err != nil || a.Times.Prompt != 1500*time.Microsecond || a.Times.Generate != 24*time.Millisecond || a.Rate() != 500 {
		t.Errorf("%+v, %v", a.Times, err)
	}
	w := wire(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, part := range []string{hi, hi, stop + done} {
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	})
	if a, err = w.Chat(t.Context(), request(), nil); err != nil || a.Times.Generate <= 0 || a.Times.Generate > a.Times.Total {
		t.Errorf("%+v, %v", a.Times, err)
	}
}

// Whatever a server sends, an answer has ended by its own word, or failed with
// a code.
func FuzzListen(f *testing.F) {
	f.Add(hi + stop + done)
	f.Add("proxy error: x")
	f.Add(`{"error":"no"}`)
	f.Add("data: null\ndata: []\n: x\n")
	w := Wire{Peer: exchange.Peer{URL: "http://nowhere", Clock: clock.System()}, Pulse: &runtime.Pulse{}}
	f.Fuzz(func(t *testing.T, text string) {
		dog := w.Peer.Watch(t.Context(), time.Minute)
		defer dog.Stop()
		now := w.Peer.Clock.Now()
		flight := w.Pulse.Begin("m", now)
		defer flight.End()
		l := &listener{wire: w, model: "m", dog: dog, next: time.Minute, draft: runtime.NewDraft(request(), flight, now, nil)}
		err := l.listen(&http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))})
		if err == nil && !strings.Contains(text, "[DONE]") {
			t.Errorf("%q was taken for a whole answer", text)
		}
		if err != nil && runtime.CodeOf(err) == "" {
			t.Errorf("%q: %v has no code", text, err)
		}
	})
}
