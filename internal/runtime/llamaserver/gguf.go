package llamaserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
)

// The format of model files, as far as a look at their beginning needs it:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
const (
	ggufMagic = "GGUF"
	// ggufKeys is how many keys are looked at, and ggufText how long a key or a
	// text may be: a model's own facts stand at the beginning, in some dozens.
	ggufKeys = 1000
	ggufText = 1 << 20

	ggufUint32 = 4
	ggufString = 8
	ggufArray  = 9

	// poolingRank is a model that orders texts, and makes no vectors of them.
	poolingRank = 4
)

var errGGUF = errors.New("not a model file of a known form")

// embeds says whether a model's file tells how the vectors of a text are
// pooled: those that are made for embeddings do. A file that cannot be read
// does not.
func embeds(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	pooling, err := readPooling(bufio.NewReader(f))
	return err == nil && pooling > 0 && pooling != poolingRank
}

// readPooling looks for the kind of pooling, 0 where there is none.
func readPooling(r *bufio.Reader) (uint32, error) {
	var head struct {
		Magic         [4]byte
		Version       uint32
		Tensors, Keys uint64
	}
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return 0, err
	}
	if string(head.Magic[:]) != ggufMagic || head.Version < 2 {
		return 0, errGGUF
	}
	for range min(head.Keys, ggufKeys) {
		key, err := readText(r)
		if err != nil {
			return 0, err
		}
		if strings.HasPrefix(key, "tokenizer.") { // long lists, and nothing more of the model
			return 0, nil
		}
		var kind uint32
		if err := binary.Read(r, binary.LittleEndian, &kind); err != nil {
			return 0, err
		}
		if strings.HasSuffix(key, ".pooling_type") && kind == ggufUint32 {
			var pooling uint32
			err := binary.Read(r, binary.LittleEndian, &pooling)
			return pooling, err
		}
		if err := skip(r, kind); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func readText(r *bufio.Reader) (string, error) {
	var n uint64
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
		return "", err
	}
	if n > ggufText {
		return "", errGGUF
	}
	text := make([]byte, n)
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// widths are the bytes of each kind of value that has a fixed number of them.
func widths() map[uint32]int64 {
	return map[uint32]int64{0: 1, 1: 1, 2: 2, 3: 2, ggufUint32: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
}

// skip passes over a value.
func skip(r *bufio.Reader, kind uint32) error {
	switch kind {
	case ggufString:
		_, err := readText(r)
		return err
	case ggufArray:
		var list struct {
			Kind  uint32
			Count uint64
		}
		if err := binary.Read(r, binary.LittleEndian, &list); err != nil {
			return err
		}
		if list.Count > ggufText || list.Kind == ggufArray {
			return errGGUF
		}
		for range list.Count {
			if err := skip(r, list.Kind); err != nil {
				return err
			}
		}
		return nil
	}
	width, ok := widths()[kind]
	if !ok {
		return errGGUF
	}
	_, err := io.CopyN(io.Discard, r, width)
	return err
}
