package ollama

import (
	"encoding/json"
	"time"

	"candor/internal/runtime"
)

// forever keeps a model loaded until it is told to go, or something larger
// pushes it out: Ollama knows no pin.
const forever = -1

type versionReply struct {
	Version string `json:"version"`
}

type tagsReply struct {
	Models []struct {
		Name   string `json:"name"`
		Digest string `json:"digest"`
		Size   int64  `json:"size"`
	} `json:"models"`
}

type psReply struct {
	Models []struct {
		Name          string    `json:"name"`
		Digest        string    `json:"digest"`
		Size          int64     `json:"size"`
		SizeVRAM      int64     `json:"size_vram"`
		ContextLength int       `json:"context_length"`
		ExpiresAt     time.Time `json:"expires_at"`
	} `json:"models"`
}

type showReply struct {
	Capabilities []string `json:"capabilities"`
}

// options are those of llama.cpp that candor sets; a nil one is Ollama's choice.
type options struct {
	NumCtx        int      `json:"num_ctx"`
	NumPredict    int      `json:"num_predict,omitempty"`
	NumGPU        *int     `json:"num_gpu,omitempty"`
	NumThread     int      `json:"num_thread,omitempty"`
	Seed          *int64   `json:"seed,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"top_p,omitempty"`
	TopK          *int     `json:"top_k,omitempty"`
	RepeatPenalty *float64 `json:"repeat_penalty,omitempty"`
	Stop          []string `json:"stop,omitempty"`
}

func settings(s runtime.Settings) options {
	return options{NumCtx: s.Context, NumGPU: s.Layers, NumThread: s.Threads}
}

type chatRequest struct {
	Model     string            `json:"model"`
	Messages  []runtime.Message `json:"messages"`
	Format    json.RawMessage   `json:"format,omitempty"`
	Options   options           `json:"options"`
	Think     *bool             `json:"think,omitempty"`
	KeepAlive int               `json:"keep_alive"`
	Truncate  bool              `json:"truncate"`
	Shift     bool              `json:"shift"`
	Stream    bool              `json:"stream"`
}

// chatReply is one line of a streamed answer; the last has done:true and the
// counts, durations in nanoseconds. A line may hold an error instead.
type chatReply struct {
	Message struct {
		Content  string `json:"content"`
		Thinking string `json:"thinking"`
	} `json:"message"`
	Done               bool   `json:"done"`
	DoneReason         string `json:"done_reason"`
	Error              string `json:"error"`
	LoadDuration       int64  `json:"load_duration"`
	PromptEvalCount    int    `json:"prompt_eval_count"`
	PromptEvalDuration int64  `json:"prompt_eval_duration"`
	EvalCount          int    `json:"eval_count"`
	EvalDuration       int64  `json:"eval_duration"`
}

type embedRequest struct {
	Model     string   `json:"model"`
	Input     []string `json:"input"`
	Options   options  `json:"options"`
	KeepAlive int      `json:"keep_alive"`
	Truncate  bool     `json:"truncate"`
}

type embedReply struct {
	Embeddings      [][]float32 `json:"embeddings"`
	LoadDuration    int64       `json:"load_duration"`
	PromptEvalCount int         `json:"prompt_eval_count"`
}

type unloadRequest struct {
	Model     string `json:"model"`
	KeepAlive int    `json:"keep_alive"` // 0: at once
	Stream    bool   `json:"stream"`
}

type refusalReply struct {
	Error string `json:"error"`
}
