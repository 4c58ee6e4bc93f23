package simrt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"candor/internal/clock"
)

// What an Options' and a Model's zero values stand for.
const (
	DefaultSlots     = 1   // Ollama's own
	DefaultQueue     = 512 // Ollama's own
	DefaultMaxLoaded = 3   // Ollama's own, for one card
	DefaultContext   = 4096
	DefaultLength    = 40
	DefaultDims      = 64
	defaultKeep      = 5 * time.Minute // Ollama's own
)

// Version is what the server says of itself.
const Version = "0.0.0-simulated"

// Header is set on every reply, with the value "true".
const Header = "Candor-Simulated"

// Options describe a server.
type Options struct {
	Clock clock.Clock
	// Seed decides texts of requests that name none.
	Seed uint64
	// VRAM and RAM are bytes for models. A model that exceeds VRAM spills into
	// RAM once nothing else can be pushed out, slower by SpillSlowdown.
	VRAM, RAM int64
	// Slots is how many answers a model writes at once, Queue how many requests
	// may wait, MaxLoaded how many models may be loaded.
	Slots, Queue, MaxLoaded int
	Models                  []Model
	// Library holds what can be pulled.
	Library []Model
}

// SpillSlowdown divides the token rate of a model that is not all in VRAM.
const SpillSlowdown = 10

func (o Options) withDefaults() Options {
	o.Slots = orElse(o.Slots, DefaultSlots)
	o.Queue = orElse(o.Queue, DefaultQueue)
	o.MaxLoaded = orElse(o.MaxLoaded, DefaultMaxLoaded)
	return o
}

func orElse(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}

// Model is one that the server has, or could pull.
type Model struct {
	// Name has a tag; without one it is "latest".
	Name string
	// Digest is the content's identity; empty: made from the name.
	Digest string
	// Size is bytes on disk and of weights in memory; PerToken bytes of each
	// token of context, in each slot.
	Size, PerToken int64
	// Context is the longest that the model can have, in tokens.
	Context int
	// LoadTime is how long it takes to load.
	LoadTime time.Duration
	// Rate and PromptRate are tokens per second, written and read; 0: at once.
	Rate, PromptRate float64
	// Length is the mean number of tokens in an answer.
	Length int
	// Dims is the length of its vectors; EmbedsOnly: it has no text.
	Dims       int
	EmbedsOnly bool
	Endless    bool // never ends an answer by itself
	Stutter    bool // repeats one token
	Broken     bool // its file cannot be loaded
}

func (m Model) withDefaults() Model {
	if !strings.Contains(m.Name, ":") {
		m.Name += ":latest"
	}
	if m.Digest == "" {
		sum := sha256.Sum256([]byte(m.Name + "|" + fmt.Sprint(m.Size)))
		m.Digest = hex.EncodeToString(sum[:])
	}
	m.Context = orElse(m.Context, DefaultContext)
	m.Length = orElse(m.Length, DefaultLength)
	m.Dims = orElse(m.Dims, DefaultDims)
	return m
}

// needs is what the model takes in memory with a context of so many tokens.
func (m Model) needs(context, slots int) int64 {
	return m.Size + m.PerToken*int64(context)*int64(slots)
}
