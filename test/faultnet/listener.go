package faultnet

import (
	"context"
	"net"
	"sync"
)

// A Listener accepts connections in memory. It is a net.Listener and a Network. Make it with Listen.
type Listener struct {
	addr   *net.TCPAddr
	queue  chan *Conn
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	port int // of the latest client
}

// Listen returns a Listener. Its address looks like one of the loopback interface, and nothing listens there.
func Listen() *Listener {
	return &Listener{
		addr:   loopback(80),
		queue:  make(chan *Conn),
		closed: make(chan struct{}),
	}
}

// Dial connects to the Listener, as soon as it accepts.
func (l *Listener) Dial(ctx context.Context) (net.Conn, Link, error) {
	there, back := newFlow(), newFlow()
	addr := l.next()
	client := &Conn{in: back, out: there, local: addr, remote: l.addr}
	server := &Conn{in: there, out: back, local: l.addr, remote: addr}
	select {
	case l.queue <- server:
		return client, client, nil
	case <-l.closed:
		return nil, nil, net.ErrClosed
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// DialContext connects whatever the address says. It fits where the method of a net.Dialer does.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	c, _, err := l.Dial(ctx)
	return c, err
}

// Accept waits for the next Dial.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and every Dial. Connections live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the address that clients see.
func (l *Listener) Addr() net.Addr { return l.addr }

// next is the address of the next client.
func (l *Listener) next() *net.TCPAddr {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.port = l.port%64_000 + 1
	return loopback(1024 + l.port)
}

func loopback(port int) *net.TCPAddr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
}
