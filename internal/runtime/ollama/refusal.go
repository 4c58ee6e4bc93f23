package ollama

import (
	"encoding/json"
	"net/http"
	"strings"

	"candor/internal/runtime"
	"candor/internal/runtime/exchange"
)

// words are what Ollama says, in lower case, and what it means by it. It has
// no error codes, and its statuses mislead (400 for a deleted file, 500 for a
// bad option), so this is the one place where text is read. The first match
// counts. Observed with 0.17.4 unless noted.
func words() []struct {
	part string
	code runtime.Code
} {
	return []struct {
		part string
		code runtime.Code
	}{
		{"not found", runtime.CodeMissing},
		{"requires more system memory", runtime.CodeTooLarge},
		{"out of memory", runtime.CodeTooLarge},                     // read in source: CUDA and Metal
		{"failed to allocate", runtime.CodeTooLarge},                // read in source: context and graph
		{"unable to allocate", runtime.CodeTooLarge},                // read in source: backend buffers
		{"memory layout cannot be allocated", runtime.CodeTooLarge}, // read in source
		{"timed out waiting for llama runner", runtime.CodeLoading}, // read in source: OLLAMA_LOAD_TIMEOUT
		{"server busy", runtime.CodeBusy},
		{"exceeds the context length", runtime.CodeTruncated},
		{"exceeds maximum context length", runtime.CodeTruncated},
		{"error loading model", runtime.CodeBroken}, // a runner that could read its file no further
		{"unable to load model", runtime.CodeBroken},
		{"model failed to load", runtime.CodeBroken}, // the same broken file, when the runner ends before its last words are read
		{"exceeds file size", runtime.CodeBroken},
		{"unexpected eof", runtime.CodeRunnerGone},
		{"llama runner process", runtime.CodeRunnerGone},
		{"an error was encountered while running the model", runtime.CodeRunnerGone},
		{"connection refused", runtime.CodeRunnerGone}, // the server's own connection to a dead runner
		{"connection reset", runtime.CodeRunnerGone},
		{"does not support", runtime.CodeRefused},
		{"invalid", runtime.CodeRefused},
		{"must be of type", runtime.CodeRefused},
		{"missing request body", runtime.CodeRefused},
	}
}

// meaning finds the code of the server's words; the status decides where they
// are unknown.
func meaning(status int, said string) runtime.Code {
	said = strings.ToLower(said)
	for _, w := range words() {
		if strings.Contains(said, w.part) {
			return w.code
		}
	}
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		return runtime.CodeBusy
	case status >= 400 && status < 500:
		return runtime.CodeRefused
	}
	return runtime.CodeServerFault
}

// refusal makes an error of a reply that is not 200.
func (c *Client) refusal(path, model string, resp *http.Response, body []byte) error {
	var r refusalReply
	if err := json.Unmarshal(body, &r); err != nil || r.Error == "" {
		if path == pathVersion || !exchange.IsJSON(resp) && resp.StatusCode != http.StatusMethodNotAllowed {
			return runtime.NotOurs(c.opts.URL, runtime.Ollama, resp.StatusCode, exchange.Describe(resp))
		}
		r.Error = http.StatusText(resp.StatusCode)
	}
	return c.said(model, resp.StatusCode, r.Error)
}

// said makes an error of the server's words, by whatever way they came.
func (c *Client) said(model string, status int, text string) error {
	code := meaning(status, text)
	if code == runtime.CodeMissing {
		return runtime.Missing(c.opts.URL, model)
	}
	return runtime.Said(code, model, status, text)
}
