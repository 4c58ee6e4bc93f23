package simrt

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
)

func (s *Server) embed(w http.ResponseWriter, r *http.Request) {
	if err := s.embedding(w, r); err != nil {
		s.fail(w, err)
	}
}

func (s *Server) embedding(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Model     string          `json:"model"`
		Input     json.RawMessage `json:"input"`
		Options   wireOptions     `json:"options"`
		KeepAlive any             `json:"keep_alive"`
		Truncate  *bool           `json:"truncate"`
	}
	if err := body(r, &req); err != nil {
		return err
	}
	m, err := s.model(req.Model)
	if err != nil {
		return refuse(http.StatusNotFound, "model %q not found, try pulling it first", req.Model)
	}
	keep, err := keepAlive(req.KeepAlive)
	if err != nil {
		return err
	}
	texts, err := inputs(req.Input)
	if err != nil {
		return err
	}
	if err := s.turnedAway(m); err != nil {
		return err
	}
	began := s.clk.Now()
	run, err := s.acquire(r.Context(), m, req.Options.settings(m), keep)
	if err != nil {
		return err
	}
	defer func() { s.release(run, keep) }()
	loaded := s.clk.Now().Sub(began)
	read := 0
	vectors := make([][]float32, 0, len(texts))
	for _, text := range texts {
		n := tokens([]string{text})
		if n > run.settings.context && req.Truncate != nil && !*req.Truncate {
			return refuse(http.StatusBadRequest, "the input length exceeds the context length")
		}
		read += min(n, run.settings.context)
		vectors = append(vectors, vector(m, text))
	}
	if err := s.pace(r.Context(), run, read, m.PromptRate, s.clk.Now()); err != nil {
		return err
	}
	reply(w, http.StatusOK, map[string]any{
		"model": req.Model, "embeddings": vectors, "load_duration": int64(loaded), "prompt_eval_count": read,
	})
	return nil
}

// inputs takes one text or a list.
func inputs(raw json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return nil, refuse(http.StatusBadRequest, "invalid input type")
	}
	return many, nil
}

// vector is of length one and made of the text's words: texts that share words
// are near each other.
func vector(m Model, text string) []float32 {
	sum := make([]float64, m.Dims)
	for _, word := range append(strings.Fields(strings.ToLower(text)), m.Name) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(word))
		rng := rand.New(rand.NewPCG(h.Sum64(), 0))
		for i := range sum {
			sum[i] += rng.NormFloat64()
		}
	}
	norm := 0.0
	for _, x := range sum {
		norm += x * x
	}
	v := make([]float32, len(sum))
	for i, x := range sum {
		v[i] = float32(x / math.Sqrt(norm))
	}
	return v
}
