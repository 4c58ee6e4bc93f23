package tinygguf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func write(t *testing.T, p Params) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The digest of the first model that real servers were measured with, on amd64:
// bytes
// that change would make every recorded answer worthless.
func TestSameBytesEverywhere(t *testing.T) {
	sum := sha256.Sum256(write(t, Tiny("tiny")))
	const want = "7fa1d2044a533511901ed15b6bfd6306c1c817d2ee2234a4003123e9ba73dd89"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestVariantsDiffer(t *testing.T) {
	seen := map[string]string{}
	for name, p := range map[string]Params{
		"tiny": Tiny("m"), "endless": Tiny("m").Endless(), "huge": Tiny("m").Huge(),
		"stutter": {Name: "m", Layers: 2, Dim: 64, Heads: 4, KVHeads: 2, FeedForward: 128, Context: 4096, EndBias: 2, Seed: 1, Stutter: true},
		"seed":    {Name: "m", Layers: 2, Dim: 64, Heads: 4, KVHeads: 2, FeedForward: 128, Context: 4096, EndBias: 2, Seed: 2},
	} {
		b := write(t, p)
		if string(b[:4]) != ggufMagic || len(b)%ggufAlignment != 0 {
			t.Errorf("%s: no GGUF file of whole blocks: %d bytes", name, len(b))
		}
		if other, taken := seen[string(b)]; taken {
			t.Errorf("%s and %s are the same file", name, other)
		}
		seen[string(b)] = name
	}
}

func TestOmit(t *testing.T) {
	p := Tiny("m")
	whole := write(t, p)
	p.Omit = "blk.0.attn_q.weight"
	if part := write(t, p); bytes.Contains(part, []byte(p.Omit)) || !bytes.Contains(whole, []byte(p.Omit)) {
		t.Error("the tensor was not left out")
	}
}

func TestRefusesShapesThatNoServerLoads(t *testing.T) {
	for name, spoil := range map[string]func(*Params){
		"no layers":    func(p *Params) { p.Layers = 0 },
		"odd quotient": func(p *Params) { p.Heads = 5 },
		"heads":        func(p *Params) { p.KVHeads = 3 },
	} {
		p := Tiny("m")
		spoil(&p)
		if err := Write(&bytes.Buffer{}, p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
