package llamaserver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"candor/internal/tinygguf"
)

// file is the beginning of a model's file, with keys before the one in
// question.
func file(key string, kind uint32, value any) []byte {
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			if text, ok := v.(string); ok {
				_ = binary.Write(&b, binary.LittleEndian, uint64(len(text)))
				v = []byte(text)
			}
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	put([]byte(ggufMagic), uint32(3), uint64(0), uint64(5))
	put("general.architecture", uint32(ggufString), "bert")
	put("general.tags", uint32(ggufArray), uint32(ggufString), uint64(2), "a", "b")
	put("bert.attention.causal", uint32(7), false)
	put(key, kind, value)
	put("tokenizer.ggml.model", uint32(ggufString), "bert")
	return b.Bytes()
}

func TestEmbeds(t *testing.T) {
	var text bytes.Buffer
	if err := tinygguf.Write(&text, tinygguf.Tiny("m")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want bool
	}{
		"vectors":            {file("bert.pooling_type", ggufUint32, uint32(1)), true},
		"for no pooling":     {file("bert.pooling_type", ggufUint32, uint32(0)), false},
		"for ranking":        {file("bert.pooling_type", ggufUint32, uint32(poolingRank)), false},
		"of an unknown form": {file("bert.pooling_type", 99, uint32(1)), false},
		"for text":           {text.Bytes(), false},
		"no model":           {[]byte("hello, this is no model at all"), false},
		"empty":              {nil, false},
	} {
		path := filepath.Join(t.TempDir(), "m.gguf")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := embeds(path); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if embeds(filepath.Join(t.TempDir(), "nobody.gguf")) {
		t.Error("a file that is not there")
	}
}

// Files are found, not written by us: none makes the reader fall or grow.
func FuzzReadPooling(f *testing.F) {
	f.Add(file("bert.pooling_type", ggufUint32, uint32(1)))
	f.Add(file("x", ggufArray, uint32(0)))
	f.Fuzz(func(t *testing.T, content []byte) {
		pooling, err := readPooling(bufio.NewReader(bytes.NewReader(content)))
		if pooling != 0 && err == nil && !bytes.Contains(content, []byte(".pooling_type")) {
			t.Errorf("pooling %d out of nothing", pooling)
		}
	})
}
