package media

import (
	"io"
	"net"
	"time"

	"github.com/gofiber/contrib/websocket"
)

// conn is a socket on a WebSocket connection of contrib/websocket. That wrapper goes back to a pool when the
// handler returns; conn holds what is inside of it.
type conn struct {
	frames
	net net.Conn
}

// frames are the methods of the inner connection that are used as they are.
type frames interface {
	NextReader() (messageType int, r io.Reader, err error)
	WriteMessage(messageType int, data []byte) error
	WriteControl(messageType int, data []byte, deadline time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	SetReadLimit(limit int64)
	SetPingHandler(h func(data string) error)
	SetCloseHandler(h func(code int, text string) error)
}

func newConn(c *websocket.Conn) *conn {
	nc := c.NetConn()
	// fasthttp's own wrapper answers Close without closing: it means to close when the handler returns.
	if wrapped, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
		nc = wrapped.UnsafeConn()
	}
	return &conn{frames: c.Conn, net: nc}
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

// Close closes the connection under the WebSocket.
func (c *conn) Close() error { return c.net.Close() }
