package simrt

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
)

// script is an answer before it is spoken: what is read, what is said, and
// what goes wrong where.
type script struct {
	read   int      // tokens of the prompt
	pieces []string // one token each
	reason string   // of its end
	fault  Kind     // what happens instead of piece number after, "" for nothing
	after  int
}

// guardRepeats is how many equal tokens a server bears before it breaks off.
const guardRepeats = 30

// write makes up an answer.
func (s *Server) write(req wireRequest, m Model, run *runner) (script, error) {
	room := run.settings.context
	c := script{read: tokens(req.texts())}
	_, cut := s.strike(Truncate, m.Name)
	if c.read > room {
		if !cut && req.Truncate != nil && !*req.Truncate {
			return c, refuse(http.StatusBadRequest, "the input length exceeds the context length")
		}
		c.read = room
	}
	rng := s.dice(req, m)
	_, repeats := s.strike(Repeat, m.Name)
	_, endless := s.strike(Endless, m.Name)
	shifts := req.Shift == nil || *req.Shift
	want := 1 + rng.IntN(2*m.Length)
	limit := room - c.read
	if shifts {
		limit = max(limit, want)
	}
	if req.Options.NumPredict > 0 {
		limit = min(limit, req.Options.NumPredict)
	}
	switch {
	case len(req.Format) > 0:
		text, err := bySchema(req.Format, rng)
		if err != nil {
			return c, refuse(http.StatusInternalServerError, "invalid JSON schema in format")
		}
		c.pieces = split(s.ungrammatical(text, m))
	case m.Stutter || repeats:
		c.pieces = stutter()
	case m.Endless || endless:
		c.pieces = babble(rng, limit+1)
	default:
		c.pieces = babble(rng, want)
	}
	c.reason = "stop"
	if len(c.pieces) > limit {
		c.pieces, c.reason = c.pieces[:limit], "length"
	} else if m.Stutter || repeats {
		c.fault, c.after = Cut, guardRepeats+1
	}
	s.sabotage(&c, m)
	return c, nil
}

// ungrammatical is an answer by a schema from a server that has no grammar, if
// that is ordered.
func (s *Server) ungrammatical(text string, m Model) string {
	if _, ordered := s.strike(OffSchema, m.Name); ordered {
		text = `{"simulated": "off schema"}`
	}
	if _, ordered := s.strike(Prose, m.Name); ordered {
		text = "Here is what you asked for:\n```json\n" + text + "\n```\nI hope it helps."
	}
	return text
}

// sabotage plans the fault that the answer will end in, if one is ordered.
func (s *Server) sabotage(c *script, m Model) {
	for _, kind := range []Kind{Hang, Cut, InBand, RunnerDeath, Death} {
		if f, ordered := s.strike(kind, m.Name); ordered {
			c.fault, c.after = kind, min(f.After, len(c.pieces))
			return
		}
	}
}

// dice is the randomness of an answer: of its seed, its model and its prompt,
// or, without a seed, of the number of answers before it.
func (s *Server) dice(req wireRequest, m Model) *rand.Rand {
	h := fnv.New64a()
	for _, t := range append(req.texts(), m.Name, m.Digest) {
		_, _ = h.Write([]byte(t))
		_, _ = h.Write([]byte{0})
	}
	if req.Options.Seed != nil {
		return rand.New(rand.NewPCG(uint64(*req.Options.Seed), h.Sum64()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return rand.New(rand.NewPCG(s.opts.Seed+s.asked, h.Sum64()))
}

// bytesPerToken is a usual ratio for text in European languages; overhead is
// what a template adds to each message.
const (
	bytesPerToken = 4
	overhead      = 4
)

func tokens(texts []string) int {
	n := 0
	for _, t := range texts {
		n += len(t)/bytesPerToken + overhead
	}
	return n
}

// babble is n words of two or three syllables.
func babble(rng *rand.Rand, n int) []string {
	pieces := make([]string, 0, n)
	for range n {
		var word strings.Builder
		if len(pieces) > 0 {
			word.WriteByte(' ')
		}
		for range 2 + rng.IntN(2) {
			word.WriteByte("bdfgklmnprstvz"[rng.IntN(14)])
			word.WriteByte("aeiou"[rng.IntN(5)])
		}
		pieces = append(pieces, word.String())
	}
	return pieces
}

func stutter() []string {
	pieces := make([]string, guardRepeats+1)
	for i := range pieces {
		pieces[i] = "ba"
	}
	return pieces
}

// split cuts a text into pieces as long as tokens.
func split(text string) []string {
	var pieces []string
	for len(text) > bytesPerToken {
		pieces = append(pieces, text[:bytesPerToken])
		text = text[bytesPerToken:]
	}
	return append(pieces, text)
}
