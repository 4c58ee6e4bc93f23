package tinygguf

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Lane 0 of the residual stream carries a constant: every embedding holds
// laneValue there and no layer writes to it. The output matrix multiplies it
// by a per-token weight, which gives the llama architecture, which has no
// bias terms, a bias on its logits.
const laneValue = 8

func buildTensors(p Params, vocab []token) []tensor {
	rng := rand.New(rand.NewPCG(p.Seed, 0))
	dim, ff := uint64(p.Dim), uint64(p.FeedForward)
	kvDim := uint64(p.Dim / p.Heads * p.KVHeads)
	words := uint64(len(vocab))

	ones := func(uint64) float32 { return 1 }
	gaussian := func(std float64) func(uint64) float32 {
		return func(uint64) float32 { return float32(rng.NormFloat64() * std) }
	}
	// matrix keeps the variance of its input: std = 1/sqrt(inputs).
	matrix := func(name string, in, out uint64) tensor {
		return tensor{name, []uint64{in, out}, gaussian(1 / math.Sqrt(float64(in)))}
	}
	// writer is a matrix that adds to the residual stream; it leaves lane 0,
	// its first output, alone and is damped so that depth does not drown the
	// embedding.
	writer := func(name string, in uint64) tensor {
		random := gaussian(0.5 / math.Sqrt(float64(in)))
		return tensor{name, []uint64{in, dim}, func(i uint64) float32 {
			if i < in {
				return 0
			}
			return random(i)
		}}
	}
	norm := func(name string) tensor { return tensor{name, []uint64{dim}, ones} }

	embedding := make([]float32, dim*words)
	for i := range embedding {
		embedding[i] = float32(rng.NormFloat64())
		if uint64(i)%dim == 0 {
			embedding[i] = laneValue
		}
	}
	tensors := []tensor{{"token_embd.weight", []uint64{dim, words}, func(i uint64) float32 {
		return embedding[i]
	}}}

	for l := range p.Layers {
		block := func(s string) string { return fmt.Sprintf("blk.%d.%s.weight", l, s) }
		tensors = append(tensors,
			norm(block("attn_norm")),
			matrix(block("attn_q"), dim, dim),
			matrix(block("attn_k"), dim, kvDim),
			matrix(block("attn_v"), dim, kvDim),
			writer(block("attn_output"), dim),
			norm(block("ffn_norm")),
			matrix(block("ffn_gate"), dim, ff),
			matrix(block("ffn_up"), dim, ff),
			writer(block("ffn_down"), ff),
		)
	}

	// After the last normalisation lane 0 holds laneValue divided by the root
	// mean square of the stream, which is close to that of an embedding.
	lane := laneValue / math.Sqrt((laneValue*laneValue+float64(dim-1))/float64(dim))
	// A row is random minus the token's own embedding, so that a token rarely
	// follows itself: Ollama breaks off an answer that repeats one token, which
	// greedy decoding with random weights is prone to.
	scale := 1 / math.Sqrt(float64(dim))
	return append(tensors, norm("output_norm.weight"),
		tensor{"output.weight", []uint64{dim, words}, func(i uint64) float32 {
			if i%dim == 0 {
				return float32(vocab[i/dim].Bias / lane)
			}
			return float32((rng.NormFloat64() - float64(embedding[i])) * scale)
		}})
}
