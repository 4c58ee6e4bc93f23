package tinygguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// The subset of GGUF version 3 that a small llama-family model needs.
// Specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
// Layout of a file, everything little-endian:
//
//	magic "GGUF" | version | tensor count | key/value count
//	key/value pairs
//	tensor infos (name, dimensions, type, offset relative to the data section)
//	zero padding to ggufAlignment
//	tensor data, each tensor padded to ggufAlignment
const (
	ggufMagic     = "GGUF"
	ggufVersion   = 3
	ggufAlignment = 32 // the format's default when general.alignment is absent

	ggmlTypeF32 = 0
	bytesPerF32 = 4
)

// Value type tags of the format (enum gguf_metadata_value_type).
const (
	typeUint32  uint32 = 4
	typeInt32   uint32 = 5
	typeFloat32 uint32 = 6
	typeBool    uint32 = 7
	typeString  uint32 = 8
	typeArray   uint32 = 9
)

// metadata is one key/value pair. Value is one of uint32, float32, bool,
// string, []string, []float32 or []int32.
type metadata struct {
	Key   string
	Value any
}

// tensor is a named block of 32-bit floats. Dims is in GGML order: the first
// dimension varies fastest, so a matrix that maps n inputs to m outputs is
// {n, m}. Fill produces the values in storage order and is called once, while
// the file is being written, so that no tensor has to be held in memory.
type tensor struct {
	Name string
	Dims []uint64
	Fill func(i uint64) float32
}

func (t tensor) elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

func (t tensor) size() uint64 { return t.elements() * bytesPerF32 }

func align(n uint64) uint64 {
	return (n + ggufAlignment - 1) / ggufAlignment * ggufAlignment
}

// writeGGUF writes a complete GGUF file to w.
func writeGGUF(w io.Writer, kvs []metadata, tensors []tensor) error {
	e := &encoder{w: bufio.NewWriterSize(w, 1<<20)}

	e.raw([]byte(ggufMagic))
	e.uint32(ggufVersion)
	e.uint64(uint64(len(tensors)))
	e.uint64(uint64(len(kvs)))

	for _, kv := range kvs {
		e.string(kv.Key)
		e.value(kv.Value)
	}

	var offset uint64
	for _, t := range tensors {
		e.string(t.Name)
		e.uint32(uint32(len(t.Dims)))
		for _, d := range t.Dims {
			e.uint64(d)
		}
		e.uint32(ggmlTypeF32)
		e.uint64(offset)
		offset += align(t.size())
	}
	e.pad()

	for _, t := range tensors {
		for i := range t.elements() {
			e.float32(t.Fill(i))
		}
		e.pad()
	}
	return e.flush()
}

// encoder writes little-endian values and remembers the first error, so that
// the code above can read like the format's description.
type encoder struct {
	w       *bufio.Writer
	written uint64
	err     error
}

func (e *encoder) raw(p []byte) {
	if e.err != nil {
		return
	}
	n, err := e.w.Write(p)
	e.written += uint64(n)
	e.err = err
}

func (e *encoder) uint32(v uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	e.raw(b[:])
}

func (e *encoder) uint64(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	e.raw(b[:])
}

func (e *encoder) float32(v float32) { e.uint32(math.Float32bits(v)) }

func (e *encoder) string(s string) {
	e.uint64(uint64(len(s)))
	e.raw([]byte(s))
}

func (e *encoder) bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	e.raw([]byte{b})
}

// value writes the type tag and then the value itself.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case uint32:
		e.uint32(typeUint32)
		e.uint32(v)
	case float32:
		e.uint32(typeFloat32)
		e.float32(v)
	case bool:
		e.uint32(typeBool)
		e.bool(v)
	case string:
		e.uint32(typeString)
		e.string(v)
	case []string:
		e.arrayHeader(typeString, len(v))
		for _, s := range v {
			e.string(s)
		}
	case []float32:
		e.arrayHeader(typeFloat32, len(v))
		for _, f := range v {
			e.float32(f)
		}
	case []int32:
		e.arrayHeader(typeInt32, len(v))
		for _, n := range v {
			e.uint32(uint32(n))
		}
	default:
		if e.err == nil {
			e.err = fmt.Errorf("gguf: unsupported metadata type %T", v)
		}
	}
}

func (e *encoder) arrayHeader(elem uint32, n int) {
	e.uint32(typeArray)
	e.uint32(elem)
	e.uint64(uint64(n))
}

func (e *encoder) pad() {
	e.raw(make([]byte, align(e.written)-e.written))
}

func (e *encoder) flush() error {
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}
