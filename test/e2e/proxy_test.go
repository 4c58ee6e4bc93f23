//go:build linux

package e2e

import (
	"net"
	"sync"
	"testing"
)

// proxy carries TCP connections to a brain, and can hold all traffic up, in both
// directions and for connections to come, as a network does that drops packets:
// what was sent meanwhile arrives when it is mended.
type proxy struct {
	to   string
	l    net.Listener
	live sync.WaitGroup

	mu     sync.Mutex
	flows  chan struct{} // closed while traffic flows; guarded by mu
	conns  []net.Conn    // guarded by mu
	closed chan struct{}
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: to, l: l, flows: make(chan struct{}), closed: make(chan struct{})}
	close(p.flows)
	p.live.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flows = make(chan struct{})
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.flows)
}

func (p *proxy) close() {
	close(p.closed)
	_ = p.l.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.live.Wait()
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

func (p *proxy) accept() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		p.keep(in)
		p.live.Go(func() {
			if !p.wait() {
				return
			}
			out, err := net.Dial("tcp", p.to)
			if err != nil {
				_ = in.Close()
				return
			}
			p.keep(out)
			p.live.Go(func() { p.carry(out, in) })
			p.carry(in, out)
		})
	}
}

// carry copies from one to the other while traffic flows.
func (p *proxy) carry(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if !p.wait() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
}

// wait returns when traffic flows, and false when the proxy is closed.
func (p *proxy) wait() bool {
	p.mu.Lock()
	flows := p.flows
	p.mu.Unlock()
	select {
	case <-flows:
		return true
	case <-p.closed:
		return false
	}
}
