package client

import (
	"bytes"
	"sync"
)

// maxKept is the largest buffer that is kept for the next call.
const maxKept = 1 << 20

// pool lends buffers for answers: claims come by the thousand a second.
type pool struct{ buffers sync.Pool }

func (p *pool) get() *bytes.Buffer {
	if b, ok := p.buffers.Get().(*bytes.Buffer); ok {
		return b
	}
	return new(bytes.Buffer)
}

func (p *pool) put(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		p.buffers.Put(b)
	}
}
