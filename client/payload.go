package client

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// maxKept is the largest buffer that is kept for the next call.
const maxKept = 1 << 20

// pool lends buffers to calls: claims come by the thousand a second.
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

// payload is a request body in a lent buffer. The transport may still read it
// when its answer is there already, and may ask for it again; so the buffer goes
// back only when the call and every reader the transport got are done.
type payload struct {
	pool *pool
	buf  *bytes.Buffer
	refs atomic.Int32
}

func (p *pool) payload() *payload {
	pl := &payload{pool: p, buf: p.get()}
	pl.refs.Store(1)
	return pl
}

func (p *payload) release() {
	if p.refs.Add(-1) == 0 {
		p.pool.put(p.buf)
	}
}

// reader is one pass over the payload, for the transport, which closes it.
func (p *payload) reader() (io.ReadCloser, error) {
	p.refs.Add(1)
	return &payloadReader{Reader: bytes.NewReader(p.buf.Bytes()), payload: p}, nil
}

type payloadReader struct {
	*bytes.Reader
	payload *payload
	closed  atomic.Bool
}

func (r *payloadReader) Close() error {
	if r.closed.CompareAndSwap(false, true) {
		r.payload.release()
	}
	return nil
}
