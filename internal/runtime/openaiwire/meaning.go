package openaiwire

import (
	"errors"
	"net/http"
	"strings"

	"candor/internal/runtime"
)

// notLoaded is how llama-server's router says that a model it has is not in
// memory.
const notLoaded = "model is not loaded"

// proxyError begins the line with which llama-server's router ends a reply when
// the model's process is gone: neither JSON nor an event.
const proxyError = "proxy error"

// bare finds the refusal in a text that is not JSON.
func bare(line []byte) (string, bool) {
	said := string(line)
	return said, strings.HasPrefix(said, proxyError)
}

// marks are what servers put into a refusal's type or code, and what they mean
// by it.
func marks() map[string]runtime.Code {
	return map[string]runtime.Code{
		"exceed_context_size_error": runtime.CodeTruncated, // llama-server
		"context_length_exceeded":   runtime.CodeTruncated, // OpenAI
		"model_not_found":           runtime.CodeMissing,   // OpenAI
		"not_supported_error":       runtime.CodeRefused,   // llama-server
		"rate_limit_exceeded":       runtime.CodeBusy,      // OpenAI
		"insufficient_quota":        runtime.CodeRefused,   // OpenAI: by 429, but no waiting helps
		"content_filter":            runtime.CodeRefused,   // OpenAI
	}
}

// words are what servers say, in lower case, and what they mean by it: most
// have no codes of their own. This is the one place where text is read. The
// first match counts. Heard from llama-server 11669 and Ollama 0.17.4, or from
// the documentation and source of vLLM, SGLang, LM Studio and llama-swap.
func words() []struct {
	part string
	code runtime.Code
} {
	return []struct {
		part string
		code runtime.Code
	}{
		{proxyError, runtime.CodeRunnerGone},
		{notLoaded, runtime.CodeRunnerGone},
		{"maximum context length", runtime.CodeTruncated},                 // vLLM, SGLang, OpenAI
		{"context length is only", runtime.CodeTruncated},                 // vLLM
		{"longer than the model's context length", runtime.CodeTruncated}, // SGLang
		{"exceeds the available context size", runtime.CodeTruncated},     // llama-server
		{"exceeds the context length", runtime.CodeTruncated},             // Ollama
		{"exceeds maximum context length", runtime.CodeTruncated},         // Ollama
		{"when context the overflows", runtime.CodeTruncated},             // LM Studio
		{"increase the physical batch size", runtime.CodeTruncated},       // llama-server, embeddings
		{"requires more system memory", runtime.CodeTooLarge},             // Ollama
		{"out of memory", runtime.CodeTooLarge},
		{"failed to allocate", runtime.CodeTooLarge},
		{"unable to allocate", runtime.CodeTooLarge},
		{"error loading model", runtime.CodeBroken},
		{"unable to load model", runtime.CodeBroken},
		{"failed to load", runtime.CodeBroken}, // llama-server's router, Ollama, LM Studio
		{"loading model", runtime.CodeLoading}, // llama-server, by 503
		{"unexpected eof", runtime.CodeRunnerGone},
		{"llama runner process", runtime.CodeRunnerGone},
		{"an error was encountered while running the model", runtime.CodeRunnerGone},
		{"enginecore encountered", runtime.CodeRunnerGone}, // vLLM
		{"connection refused", runtime.CodeRunnerGone},     // a gateway's own connection
		{"server busy", runtime.CodeBusy},
		{"queue is full", runtime.CodeBusy},     // SGLang
		{"overloaded", runtime.CodeBusy},        // remote services
		{"too many requests", runtime.CodeBusy}, // llama-swap
	}
}

// missing says whether the words are of a model that is not there. Every
// server has its own, and all name the model.
func missing(said string) bool {
	if !strings.Contains(said, "model") {
		return false
	}
	for _, part := range []string{"not found", "does not exist", "could not find", "no models loaded", "unknown model"} {
		if strings.Contains(said, part) {
			return true
		}
	}
	return false
}

// meaning finds the code of a refusal: by its marks, by its words, and by its
// status where those are unknown.
func meaning(f fault) runtime.Code {
	for _, mark := range []string{f.Code, f.Type} {
		if code, ok := marks()[mark]; ok {
			return code
		}
	}
	said := strings.ToLower(f.Message)
	for _, w := range words() {
		if strings.Contains(said, w.part) {
			return w.code
		}
	}
	if missing(said) {
		return runtime.CodeMissing
	}
	switch {
	case f.Status == http.StatusServiceUnavailable || f.Status == http.StatusTooManyRequests:
		return runtime.CodeBusy
	case f.Status == http.StatusBadGateway || f.Status == http.StatusGatewayTimeout:
		return runtime.CodeGone
	case f.Status >= 400 && f.Status < 500:
		return runtime.CodeRefused
	case strings.Contains(said, "json schema") || strings.Contains(said, "invalid format"):
		return runtime.CodeRefused // Ollama, by 500
	}
	return runtime.CodeServerFault
}

// asError is the first Error in err's chain.
func asError(err error) (*runtime.Error, bool) { return errors.AsType[*runtime.Error](err) }
