package runtime

import (
	"context"
	"time"
)

// Server is one model server. Methods are safe for concurrent use. They return
// *Error, or the context's error when the caller cancelled.
type Server interface {
	// Identify asks who answers. CodeNotOurs: it is another program.
	Identify(ctx context.Context) (Identity, error)
	// List returns the models the server has and could load, by name.
	List(ctx context.Context) ([]Model, error)
	// Loaded returns what the server says is in memory, by name. A model listed
	// here may still be loading, may be draining, and its process may be dead.
	Loaded(ctx context.Context) ([]Resident, error)
	// Load returns when the model has produced a token, or has failed to before
	// ctx ended. Loading what is loaded probes it and changes nothing.
	Load(ctx context.Context, r LoadRequest) (Change, error)
	// Unload returns when the model is gone from Loaded, or when ctx ends, then
	// with CodeHeld and what holds it. Unloading what is not loaded changes
	// nothing. CodeRefused: this server decides by itself what it keeps.
	Unload(ctx context.Context, model string) (Change, error)
	// Pull fetches a model from where the server gets them; tell, which may be
	// nil, hears of its progress from the calling goroutine. CodeMissing: there
	// is none to be had; CodeRefused: this server fetches none.
	Pull(ctx context.Context, model string, tell func(Pulled)) error
	// Generate answers a conversation. Each piece of text goes to tell, which
	// may be nil, from the calling goroutine as it arrives; the answer holds the
	// whole. With an error, the answer holds what there was until then.
	Generate(ctx context.Context, r Request, tell func(Chunk)) (Answer, error)
	// Embed turns texts into vectors, in order.
	Embed(ctx context.Context, r EmbedRequest) (Embedding, error)
	// Health asks the server and reports what this adapter has seen of it.
	Health(ctx context.Context) Health
}

// Kind is the program behind a server.
type Kind string

// The kinds of servers.
const (
	Ollama      Kind = "ollama"
	LlamaServer Kind = "llama-server" // of llama.cpp
	OpenAI      Kind = "openai"       // whatever speaks OpenAI's HTTP API
)

// Identity says who answers at an address.
type Identity struct {
	Kind    Kind   `json:"kind"`
	Version string `json:"version"`
	URL     string `json:"url"`
	// Simulated: package simrt plays the server; no model is behind it.
	Simulated bool `json:"simulated,omitempty"`
	// Slots is how many requests it works on at once, by its own account; 0: it
	// does not say.
	Slots int `json:"slots,omitempty"`
}

// Model is one that a server has, loaded or not.
type Model struct {
	Name   string `json:"name"`
	Digest string `json:"digest,omitempty"` // identity of the content, empty where the server has none
	Size   int64  `json:"size"`             // bytes on disk
}

// Resident is a model in a server's memory, by the server's own account.
type Resident struct {
	Model  string `json:"model"`
	Digest string `json:"digest,omitempty"`
	// Size is what it takes, weights and context, in bytes; VRAM the part of it
	// that lies on a GPU.
	Size int64 `json:"size"`
	VRAM int64 `json:"vram"`
	// Context is the number of tokens one conversation may have.
	Context int `json:"context"`
	// Until is when the server means to unload it; in the past: it is draining.
	Until time.Time `json:"until,omitzero"`
}

// Settings are what a model is loaded with. Zero values leave the choice to
// the server, except Context, which must be said.
type Settings struct {
	// Context is the number of tokens one conversation may have.
	Context int `json:"context"`
	// Layers is how many go to the GPU; nil: as many as fit; 0: none.
	Layers *int `json:"layers,omitempty"`
	// Threads is the number of CPU threads.
	Threads int `json:"threads,omitempty"`
}
