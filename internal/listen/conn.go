package listen

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// What a connection that was refused may still send before it is closed, so that its sender reads the answer: closing a
// connection with unread data resets it.
const (
	lingerTime  = time.Second
	lingerBytes = 4 << 20
)

// A Conn is a connection that a Listener accepted. Its methods may be called concurrently.
type Conn struct {
	net.Conn
	of     *Listener
	peer   netip.Addr
	linger atomic.Bool
	ended  atomic.Bool // Read has returned io.EOF
	place
}

// NetConn returns the connection that is wrapped.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Request notes that a request has arrived. forwarded are the values of its headers X-Forwarded-For, which count if the peer is
// a trusted proxy.
func (c *Conn) Request(forwarded []string) {
	address := network(c.peer)
	if trusted(c.of.config.Trusted, c.peer) {
		address = network(client(c.of.config.Trusted, forwarded))
	}
	c.of.closeTo(c.of.places.restart(c, address, time.Now()))
}

// Idle notes that a request was answered and the connection waits for another.
func (c *Conn) Idle() {
	var address netip.Addr
	if !trusted(c.of.config.Trusted, c.peer) {
		address = network(c.peer)
	}
	c.of.closeTo(c.of.places.restart(c, address, time.Now()))
}

// Keep protects the connection until Idle or Close: its request is that of a known sender. It answers false if that is not
// possible, because half of the listener's connections are kept.
func (c *Conn) Keep() bool { return c.of.places.keep(c) }

// Leave takes the connection out of the listener's count. It cannot be undone.
func (c *Conn) Leave() { c.of.places.leave(c) }

// Linger makes Close wait until the peer has read the last answer, for a second at most. It is for a request that was not read
// to its end.
func (c *Conn) Linger() { c.linger.Store(true) }

// Read reads from the connection.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		c.ended.Store(true)
	}
	return n, err
}

// Ended tells whether the peer has ended its half of the connection, and Read has seen it.
func (c *Conn) Ended() bool { return c.ended.Load() }

// SetDeadline sets both deadlines. Like SetReadDeadline and SetWriteDeadline it does not fail when the connection is closed: the
// listener closes connections at any time, and fasthttp panics then. The next Read or Write fails.
func (c *Conn) SetDeadline(t time.Time) error { return unlessClosed(c.Conn.SetDeadline(t)) }

// SetReadDeadline sets when Read fails.
func (c *Conn) SetReadDeadline(t time.Time) error { return unlessClosed(c.Conn.SetReadDeadline(t)) }

// SetWriteDeadline sets when Write fails.
func (c *Conn) SetWriteDeadline(t time.Time) error { return unlessClosed(c.Conn.SetWriteDeadline(t)) }

func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

// Close closes the connection.
func (c *Conn) Close() error {
	if c.linger.CompareAndSwap(true, false) {
		c.drain()
	}
	c.Leave()
	return c.Conn.Close()
}

// drain ends our half of the connection and reads what the peer still sends.
func (c *Conn) drain() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes))
}
