// Package tinygguf writes small language models with random weights in the GGUF
// format, for tests against real model servers: Ollama and llama.cpp load them,
// generate meaningless but readable text with them, obey grammars with them and
// unload them, and they cost half a megabyte and no download.
//
// It is not a GGUF library: it writes the one architecture that tests need.
//
// Invariant: equal Params give equal bytes, on one architecture (Go may fuse
// floating-point operations on others).
package tinygguf

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Params describe a model. Start from Tiny.
type Params struct {
	Name        string
	Layers      int
	Dim         int // width of the residual stream
	Heads       int
	KVHeads     int
	FeedForward int
	Context     int     // tokens the model claims to have been trained on
	EndBias     float64 // added to the end token's logit: the larger, the shorter the answers
	Seed        uint64
	// Stutter makes one syllable more likely than everything else together.
	Stutter bool
	// Omit leaves out the tensor of that name: a file that cannot be loaded.
	Omit string
}

// Tiny is a model of 128 thousand parameters that answers in tens of tokens.
func Tiny(name string) Params {
	return Params{
		Name: name, Layers: 2, Dim: 64, Heads: 4, KVHeads: 2, FeedForward: 128,
		Context: 4096, EndBias: 2, Seed: 1,
	}
}

// Endless makes the model never end an answer by itself.
func (p Params) Endless() Params {
	p.EndBias = biasNever
	return p
}

// Slow makes the model write some hundred tokens per second on a core, two
// answers at once taken together, and its file 20 MB long.
func (p Params) Slow() Params {
	p.Layers, p.Dim, p.Heads, p.KVHeads, p.FeedForward = 4, 256, 8, 8, 1024
	return p
}

// Huge makes the model able to ask for more context than any machine holds.
func (p Params) Huge() Params {
	p.Context = 1 << 30
	return p
}

// Write writes the model's file.
func Write(w io.Writer, p Params) error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("model %s: %w", p.Name, err)
	}
	kvs, tensors := buildModel(p)
	return writeGGUF(w, kvs, tensors)
}

func (p Params) validate() error {
	switch {
	case p.Layers < 1 || p.Dim < 32 || p.Heads < 1 || p.KVHeads < 1 || p.FeedForward < 1 || p.Context < 1:
		return errors.New("layers, heads, feed-forward width and context must be positive and the width at least 32")
	case p.Dim%p.Heads != 0 || p.Dim/p.Heads%2 != 0:
		return fmt.Errorf("the width (%d) must be a multiple of the heads (%d), with an even quotient", p.Dim, p.Heads)
	case p.Heads%p.KVHeads != 0:
		return fmt.Errorf("the heads (%d) must be a multiple of the key/value heads (%d)", p.Heads, p.KVHeads)
	}
	return nil
}

// buildModel returns the metadata and tensors of a llama-architecture model
// with random weights.
func buildModel(p Params) ([]metadata, []tensor) {
	vocab := buildVocab(p)

	texts := make([]string, len(vocab))
	scores := make([]float32, len(vocab))
	kinds := make([]int32, len(vocab))
	for i, t := range vocab {
		texts[i], scores[i], kinds[i] = t.Text, t.Score, t.Kind
	}

	kvs := []metadata{
		{"general.architecture", "llama"},
		{"general.name", p.Name},
		{"general.file_type", uint32(0)}, // all tensors F32
		{"llama.context_length", uint32(p.Context)},
		{"llama.embedding_length", uint32(p.Dim)},
		{"llama.block_count", uint32(p.Layers)},
		{"llama.feed_forward_length", uint32(p.FeedForward)},
		{"llama.attention.head_count", uint32(p.Heads)},
		{"llama.attention.head_count_kv", uint32(p.KVHeads)},
		{"llama.attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"llama.rope.dimension_count", uint32(p.Dim / p.Heads)},
		{"llama.rope.freq_base", float32(10000)},
		{"llama.vocab_size", uint32(len(vocab))},
		{"tokenizer.ggml.model", "llama"}, // SentencePiece
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", texts},
		{"tokenizer.ggml.scores", scores},
		{"tokenizer.ggml.token_type", kinds},
		{"tokenizer.ggml.unknown_token_id", uint32(idUnknown)},
		{"tokenizer.ggml.bos_token_id", uint32(idBegin)},
		{"tokenizer.ggml.eos_token_id", uint32(idEnd)},
		{"tokenizer.ggml.add_bos_token", true},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.add_space_prefix", false},
		{"tokenizer.chat_template", chatTemplate},
	}
	return kvs, slices.DeleteFunc(buildTensors(p, vocab), func(t tensor) bool { return t.Name == p.Omit })
}
