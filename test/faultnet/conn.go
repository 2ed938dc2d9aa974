package faultnet

import (
	"context"
	"net"
	"sync"
	"time"
)

// A Network makes connections that can be broken.
type Network interface {
	// Dial connects. Closing the connection ends it as usual; the Link may be used at any time, also after that.
	Dial(ctx context.Context) (net.Conn, Link, error)
}

// A Link is the line under a connection. Its methods may be called concurrently and more than once.
type Link interface {
	// Client is the address that the server sees as the client's.
	Client() string
	// Reset cuts the line: every read and write at both ends fails, and what was under way is lost.
	Reset()
	// Freeze lets nothing pass any more in either direction, not even the end of the connection. Writes
	// succeed until the buffers are full.
	Freeze()
}

// A Conn is one end of a connection in memory. It behaves like a *net.TCPConn: writes go into a buffer and
// block only when that is full, Close lets the other end read what is on its way, deadlines work at any time.
type Conn struct {
	in, out       *flow
	local, remote *net.TCPAddr
	closing       sync.Once
}

// Read reads what the other end wrote.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write writes to the other end. It waits only while the buffer is full.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close ends the connection. What was written before still arrives.
func (c *Conn) Close() error {
	c.closing.Do(func() {
		c.out.finish()
		c.in.leave()
	})
	return nil
}

// CloseWrite ends our half of the connection: the other end reads what is on its way, then io.EOF.
func (c *Conn) CloseWrite() error {
	c.out.finish()
	return nil
}

// LocalAddr is an address on the loopback interface that no other open connection of the Listener has.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the LocalAddr of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setReadDeadline(t)
	c.out.setWriteDeadline(t)
	return nil
}

// SetReadDeadline bounds reads, also one that is waiting.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setReadDeadline(t)
	return nil
}

// SetWriteDeadline bounds writes, also one that is waiting.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setWriteDeadline(t)
	return nil
}

// Client is the address of the end that dialled.
func (c *Conn) Client() string { return c.local.String() }

// Reset cuts the line under the connection.
func (c *Conn) Reset() {
	c.in.reset()
	c.out.reset()
}

// Freeze stops the line under the connection.
func (c *Conn) Freeze() {
	c.in.freeze()
	c.out.freeze()
}
