package wire

import (
	"bytes"
	"sync"
)

// MaxKept is the largest buffer, in bytes, that is kept for the next call: a
// claim with a hundred results, not a submission.
const MaxKept = 1 << 20

// Buffers lends byte buffers to requests and answers: claims come by the
// thousand a second. The zero value is ready, and safe for concurrent use.
type Buffers struct{ pool sync.Pool }

// Get lends an empty buffer.
func (b *Buffers) Get() *bytes.Buffer {
	if buf, ok := b.pool.Get().(*bytes.Buffer); ok {
		return buf
	}
	return new(bytes.Buffer)
}

// Put takes a buffer back, whose bytes nobody may hold any more.
func (b *Buffers) Put(buf *bytes.Buffer) {
	if buf.Cap() <= MaxKept {
		buf.Reset()
		b.pool.Put(buf)
	}
}
