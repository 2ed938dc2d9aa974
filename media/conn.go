package media

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A conn is a socket: one connection on which the library has shaken hands. It keeps no buffer while it waits.
type conn struct {
	net     net.Conn
	from    io.Reader // net, or what still holds the beginning of the stream
	ticks   ticker    // not nil when the connection is read at ticks
	buffers *buffers
	lent    *[readSize]byte // where in lies
	frames  frameReader
}

// readSize is how much is read at once, what comes in 160 ms and more, and how many samples of a track are held.
const readSize = 4 << 10

// buffers are shared by connections, which need them only while they read or write.
type buffers struct{ in, out sync.Pool }

// newConn makes a socket of the connection that a handler got. early is what of the stream was read already.
func newConn(nc net.Conn, from io.Reader, early []byte, shared *buffers) *conn {
	c := &conn{net: nc, from: from, buffers: shared}
	c.frames.in, c.frames.fill = early, c.fill
	return c
}

// leave tells whoever counts connections that this one is a stream now, which MaxStreams bounds.
func leave(handlers net.Conn) {
	if counted, ok := unwrapped(handlers).(interface{ Leave() }); ok {
		counted.Leave()
	}
}

// unwrapped returns the connection inside of fasthttp's wrapper, which answers Close without closing: it means to close
// when the handler returns.
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

// fill reads what has come.
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

// SetReadLimit sets how long a message may be. It must be called before reading, as SetPingHandler.
func (c *conn) SetReadLimit(limit int64) { c.frames.limit = limit }

// SetPingHandler sets what is called, by the reader, with the data of each ping.
func (c *conn) SetPingHandler(h func(data string) error) { c.frames.ping = h }

// tick makes the connection be read at ticks, if it can be.
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

// Linger ends our half of the connection, so that the carrier sees our close frame and the end, and reads what the
// carrier sent before it knew. To close with data unread would reset the connection, and the reset could
// overtake the close frame.
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
