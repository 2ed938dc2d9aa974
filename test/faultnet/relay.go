package faultnet

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// A Relay is a Network of real sockets: it listens on the loopback interface and passes on to a server what a
// client sends, and back. Make it with NewRelay and Close it.
type Relay struct {
	listener *net.TCPListener
	dial     func(ctx context.Context) (net.Conn, error)
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	dialing sync.Mutex // one Dial at a time, so that each knows its other end
	mu      sync.Mutex
	links   map[*relayed]struct{} // open
}

// NewRelay returns a Relay to the server that dial reaches.
func NewRelay(dial func(ctx context.Context) (net.Conn, error)) (*Relay, error) {
	l, err := net.ListenTCP("tcp", loopback(0))
	if err != nil {
		return nil, fmt.Errorf("faultnet: %w", err)
	}
	r := &Relay{listener: l, dial: dial, links: map[*relayed]struct{}{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Dial connects to the server through the Relay.
func (r *Relay) Dial(ctx context.Context) (net.Conn, Link, error) {
	server, err := r.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, near, err := r.pair(ctx)
	if err != nil {
		_ = server.Close()
		return nil, nil, err
	}
	l := newRelayed(near, server)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		l.Reset()
		_ = client.Close()
		return nil, nil, net.ErrClosed
	}
	r.links[l] = struct{}{}
	r.running.Go(func() { r.carry(l) })
	return client, l, nil
}

// pair makes a connection to ourselves.
func (r *Relay) pair(ctx context.Context) (client, near net.Conn, err error) {
	r.dialing.Lock()
	defer r.dialing.Unlock()
	var d net.Dialer
	if client, err = d.DialContext(ctx, "tcp", r.listener.Addr().String()); err != nil {
		return nil, nil, err
	}
	for { // a stranger may have come first
		if near, err = r.listener.Accept(); err != nil {
			_ = client.Close()
			return nil, nil, err
		}
		if near.RemoteAddr().String() == client.LocalAddr().String() {
			return client, near, nil
		}
		_ = near.Close()
	}
}

// carry copies in both directions until both have ended.
func (r *Relay) carry(l *relayed) {
	var both sync.WaitGroup
	both.Go(func() { l.copy(l.far, l.near) })
	both.Go(func() { l.copy(l.near, l.far) })
	both.Wait()
	_ = l.near.Close()
	_ = l.far.Close()
	r.mu.Lock()
	delete(r.links, l)
	r.mu.Unlock()
}

// Close resets every connection and returns when nothing of the Relay is left running.
func (r *Relay) Close() error {
	r.cancel()
	err := r.listener.Close()
	r.mu.Lock()
	for l := range r.links {
		l.Reset()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}
