package openaiwire

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/runtime"
)

// What servers say, where they say it, and what they mean by it. Those of
// llama-server and Ollama were heard, the others are as documented.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   runtime.Code
	}{
		{400, `{"error":{"code":400,"message":"model is not loaded","type":"invalid_request_error"}}`, runtime.CodeRunnerGone},
		{400, `{"error":{"code":400,"message":"model 'nope' not found","type":"invalid_request_error"}}`, runtime.CodeMissing},
		{404, `{"error":{"message":"model 'nope' not found","type":"api_error","param":null,"code":null}}`, runtime.CodeMissing},
		{404, "{\"object\":\"error\",\"message\":\"The model `nope` does not exist.\",\"type\":\"NotFoundError\",\"code\":404}", runtime.CodeMissing},
		{404, `{"error":{"message":"The model does not exist or you do not have access to it.","code":"model_not_found"}}`, runtime.CodeMissing},
		{503, `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, runtime.CodeLoading},
		{501, `{"error":{"code":501,"message":"This server does not support embeddings. Start it with --embeddings","type":"not_supported_error"}}`, runtime.CodeRefused},
		{500, `{"error":{"code":500,"message":"input (15001 tokens) is too large to process. increase the physical batch size (current batch size: 512)","type":"server_error"}}`, runtime.CodeTruncated},
		{400, `{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","code":400}}`, runtime.CodeTruncated},
		{400, `{"error":{"message":"too long","code":"context_length_exceeded"}}`, runtime.CodeTruncated},
		{400, `{"object":"error","message":"The input (5000 tokens) is longer than the model's context length (4096 tokens).","code":400}`, runtime.CodeTruncated},
		{400, `{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}`, runtime.CodeTruncated},
		{500, `{"error":{"message":"model name=broken failed to load"}}`, runtime.CodeBroken},
		{500, `{"error":{"message":"llama runner process has terminated: error loading model: missing tensor"}}`, runtime.CodeBroken},
		{500, `{"error":{"message":"model requires more system memory (32.0 GiB) than is available (22.7 GiB)"}}`, runtime.CodeTooLarge},
		{500, `{"error":{"message":"invalid JSON schema in format"}}`, runtime.CodeRefused},
		{500, `proxy error: Could not establish connection`, runtime.CodeRunnerGone},
		{401, `{"error":{"message":"Incorrect API key provided"}}`, runtime.CodeRefused},
		{401, `<html>`, runtime.CodeRefused},
		{422, `{"detail":[{"loc":["body"],"msg":"field required"}]}`, runtime.CodeRefused},
		{429, `{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}`, runtime.CodeBusy},
		{429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`, runtime.CodeRefused},
		{503, `<html>busy</html>`, runtime.CodeBusy},
		{502, `<html>bad gateway</html>`, runtime.CodeGone},
		{500, `{"error":{"message":"something new"}}`, runtime.CodeServerFault},
		{418, `{"error":{"message":"something new"}}`, runtime.CodeRefused},
		{404, `<html>nginx</html>`, runtime.CodeNotOurs},
		{200, `<html>hello</html>`, runtime.CodeNotOurs},
	} {
		kind := "application/json"
		if strings.HasPrefix(c.body, "<") {
			kind = "text/html"
		}
		w := wire(t, says(c.status, kind, c.body))
		if _, err := w.Chat(t.Context(), request(), nil); runtime.CodeOf(err) != c.want {
			t.Errorf("%d %s: %v (code %q), want %q", c.status, c.body, err, runtime.CodeOf(err), c.want)
		}
	}
}

// A prompt that does not fit is told with the numbers that there are.
func TestTooLong(t *testing.T) {
	body := `{"error":{"code":400,"message":"request (15017 tokens) exceeds the available context size (500 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":15017,"n_ctx":500}}`
	_, err := wire(t, says(http.StatusBadRequest, "application/json", body)).Chat(t.Context(), request(), nil)
	e, _ := asError(err)
	if e == nil || e.Code != runtime.CodeTruncated || e.Detail[runtime.DetailActual] != 15017 || e.Detail[runtime.DetailWanted] != 500 || e.Detail[runtime.DetailSize] != 14 {
		t.Errorf("%v: %+v", err, e)
	}
	body = `{"error":{"message":"maximum context length is 512"}}`
	_, err = wire(t, says(http.StatusBadRequest, "application/json", body)).Chat(t.Context(), request(), nil)
	if e, _ = asError(err); e == nil || e.Detail[runtime.DetailWanted] != 512 || e.Detail[runtime.DetailSaid] == nil {
		t.Errorf("%v: %+v", err, e)
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 24 Nov 2026 08:00:00 GMT"
	for after, want := range map[string]time.Duration{
		"7": 7 * time.Second, "": 0, "soon": 0, "-3": 0,
		"Tue, 24 Nov 2026 08:01:30 GMT": 90 * time.Second, "Tue, 24 Nov 2026 07:00:00 GMT": 0,
	} {
		w := wire(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", after)
			w.Header().Set("Date", date)
			says(http.StatusTooManyRequests, "application/json", `{"error":{"message":"Slow down"}}`)(w, r)
		})
		_, err := w.Chat(t.Context(), request(), nil)
		e, _ := asError(err)
		if e == nil || e.Code != runtime.CodeBusy {
			t.Fatalf("%v", err)
		}
		if got, _ := e.Detail[runtime.DetailRetry].(time.Duration); got != want {
			t.Errorf("%q: %s, want %s", after, got, want)
		}
	}
}

// A server may repeat what it was sent.
func TestTheKeyIsInNoError(t *testing.T) {
	w := wire(t, says(http.StatusUnauthorized, "application/json", `{"error":{"message":"bad key sk-123"}}`))
	w.Hide = func() string { return "sk-123" }
	_, err := w.Chat(t.Context(), request(), nil)
	e, _ := asError(err)
	if e == nil || strings.Contains(err.Error(), "sk-123") || strings.Contains(e.Detail[runtime.DetailSaid].(string), "sk-123") {
		t.Errorf("%v", err)
	}
}
