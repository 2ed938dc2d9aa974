package media

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A conn implements socket on a connection after the library's WebSocket handshake. It holds no buffer while it waits.
type conn struct {
	net     net.Conn
	from    io.Reader // net, or a reader that still holds the beginning of the stream
	ticks   ticker    // nil if the connection is not read at ticks
	buffers *buffers
	lent    *[readSize]byte // the pooled array that frames.in is a part of
	frames  frameReader
}

// readSize is the size of a read buffer, more than arrives in 160 ms, and the most pending samples of a track.
const readSize = 4 << 10

// buffers are pools of read and write buffers that all connections share.
type buffers struct{ in, out sync.Pool }

// newConn returns a conn. from supplies the stream's bytes; early are the bytes already read.
func newConn(nc net.Conn, from io.Reader, early []byte, shared *buffers) *conn {
	c := &conn{net: nc, from: from, buffers: shared}
	c.frames.in, c.frames.fill = early, c.fill
	return c
}

// leave removes the connection from the HTTP server's connection count, if it has one: MaxStreams bounds streams.
func leave(handlers net.Conn) {
	if counted, ok := unwrapped(handlers).(interface{ Leave() }); ok {
		counted.Leave()
	}
}

// unwrapped returns the connection inside fasthttp's wrapper. The wrapper's Close does nothing: fasthttp closes the
// connection when the handler returns.
func unwrapped(nc net.Conn) net.Conn {
	if wrapped, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
		return wrapped.UnsafeConn()
	}
	return nc
}

// NextReader waits for the next text or binary message. The reader is valid until the next call.
func (c *conn) NextReader() (messageType int, r io.Reader, err error) {
	messageType, err = c.frames.next()
	return messageType, &c.frames, err
}

// fill waits for bytes and sets frames.in to them.
func (c *conn) fill() error {
	if c.lent != nil {
		c.buffers.in.Put(c.lent)
		c.lent, c.frames.in = nil, nil
	}
	for {
		if c.ticks != nil {
			c.ticks.sleep()
		}
		b, ok := c.buffers.in.Get().(*[readSize]byte)
		if !ok {
			b = new([readSize]byte)
		}
		n, err := c.read(b[:])
		if n > 0 {
			c.lent, c.frames.in = b, b[:n]
			return nil
		}
		c.buffers.in.Put(b)
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
}

func (c *conn) read(b []byte) (int, error) {
	if c.ticks != nil {
		return c.ticks.poll(b)
	}
	return c.from.Read(b)
}

// WriteMessage sends a message as one frame, in one write.
func (c *conn) WriteMessage(messageType int, data []byte) error {
	b, ok := c.buffers.out.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	defer c.buffers.out.Put(b)
	*b = appendFrame((*b)[:0], messageType, data)
	_, err := c.net.Write(*b)
	return err
}

// WriteControl sends a control frame.
func (c *conn) WriteControl(messageType int, data []byte, deadline time.Time) error {
	if err := c.net.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return c.WriteMessage(messageType, data)
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.net.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.net.SetWriteDeadline(t) }

// SetReadLimit sets the maximum length of a message in bytes. Like SetPingHandler it must be called before reading.
func (c *conn) SetReadLimit(limit int64) { c.frames.limit = limit }

// SetPingHandler sets the function that the reader calls with the data of each ping.
func (c *conn) SetPingHandler(h func(data string) error) { c.frames.ping = h }

// tick switches the connection to reading at ticks, if it supports that.
func (c *conn) tick(next func() time.Duration) error {
	t, ok := c.net.(ticker)
	if !ok {
		return errors.ErrUnsupported
	}
	if err := t.tick(next); err != nil {
		return err
	}
	c.ticks = t
	return nil
}

// Linger closes the write side, so that the carrier sees the close frame and the end, and discards the data that the
// carrier still sends. Closing with unread data would reset the connection, and the reset could overtake the close frame.
func (c *conn) Linger(atMost time.Duration) {
	defer func() { _ = c.Close() }()
	_ = c.net.SetReadDeadline(time.Now().Add(atMost))
	if half, ok := c.net.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c.net)
}

// Close closes the connection.
func (c *conn) Close() error { return c.net.Close() }
