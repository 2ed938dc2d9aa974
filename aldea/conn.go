package aldea

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// The messages of the client, always text frames: as binary frames they would be taken for audio.
const (
	keepAliveMessage   = `{"type":"KeepAlive"}`
	finalizeMessage    = `{"type":"Finalize"}`
	closeStreamMessage = `{"type":"CloseStream"}`
)

// readLimit bounds one message of the server. A long final with all its words can have tens of kilobytes.
const readLimit = 1 << 20

// A conn is one established WebSocket connection. Its write methods are for the holder of Stream.writeMu, read for one
// other goroutine; the rest may be called by both.
type conn struct {
	ws        *websocket.Conn
	net       net.Conn      // under ws; one Write at a time takes place
	lazy      bufferingConn // under net; nil if what is written to net may have to wait for room
	config    *Config
	host      *host
	form      Auth          // how the key was sent
	requestID string        // from the handshake; may be empty
	texts     *sync.Pool    // of *bytes.Buffer, shared with others
	buf       *bytes.Buffer // of the message that was read last
	heardOne  chan struct{} // gets a token when a message was taken
	received  func()        // called for each message, ping and pong of the server

	closing    atomic.Bool   // a close frame came, and was answered: nothing may be sent any more
	done       chan struct{} // closed when the reader has ended
	err        error         // why it has; to be read after done
	answered   bool          // a result came; to be read after done
	productive bool          // a final result came; to be read after done

	mu       sync.Mutex
	deadline time.Time // reading ends here whatever comes; zero means never
}

// A bufferingConn can buffer writes instead of waiting for room in the socket. Its methods may be called concurrently.
type bufferingConn interface {
	// bufferWrites makes Write buffer a few messages when the socket has no room.
	bufferWrites()
	// hasPending reports whether buffered bytes are not yet written.
	hasPending() bool
	// flush writes what is kept, waiting for room until by. Write does not wait for it.
	flush(by time.Time) error
}

// lazy returns what lies under a connection, made lazy, if it can be.
func lazy(nc net.Conn) bufferingConn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if b, ok := nc.(*boundedConn); ok {
		nc = b.NetConn()
	}
	l, ok := nc.(bufferingConn)
	if !ok {
		return nil
	}
	l.bufferWrites()
	return l
}

func newConn(ws *websocket.Conn, client *Client, h *host, form Auth, requestID string) *conn {
	c := &conn{ws: ws, net: ws.NetConn(), lazy: lazy(ws.NetConn()), texts: &client.pools.texts, config: &client.config, host: h, form: form, requestID: requestID,
		heardOne: make(chan struct{}), done: make(chan struct{}), received: func() {}}
	ws.SetReadLimit(readLimit)
	ws.SetPongHandler(func(string) error {
		c.received()
		return c.heard()
	})
	goodbye := ws.CloseHandler()
	ws.SetCloseHandler(func(code int, text string) error {
		c.closing.Store(true)
		return goodbye(code, text)
	})
	answer := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		c.received()
		if err := c.heard(); err != nil {
			return err
		}
		return answer(data)
	})
	return c
}

// write sends one message within Config.WriteTimeout. After an error the connection is of no more use for
// writing; reading may still bring what the server said before.
func (c *conn) write(messageType int, data []byte) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.config.WriteTimeout)); err != nil {
		return err
	}
	return c.ws.WriteMessage(messageType, data)
}

// writeAudio sends the linear PCM behind the first frameRoom bytes of b, which it changes. Deepgram takes an empty
// message for the end of the stream, and half a sample turns all that follows into noise: neither is ever sent.
func (c *conn) writeAudio(b []byte) error {
	if len(b) <= frameRoom {
		return nil
	}
	if len(b)%2 != 0 { // so is frameRoom
		return errors.New("aldea: half a sample")
	}
	if c.closing.Load() {
		return websocket.ErrCloseSent
	}
	if err := c.net.SetWriteDeadline(time.Now().Add(c.config.WriteTimeout)); err != nil {
		return err
	}
	// The library writes control frames from the reader, too. Each is one Write, as this is.
	_, err := c.net.Write(sealFrame(b))
	return err
}

// flush waits until the socket has accepted everything that was written, for atMost.
func (c *conn) flush(atMost time.Duration) error {
	if c.lazy == nil || !c.lazy.hasPending() {
		return nil
	}
	return c.lazy.flush(time.Now().Add(atMost))
}

func (c *conn) writeText(message string) error {
	return c.write(websocket.TextMessage, []byte(message))
}

// ping sends a WebSocket ping. Something must come back within Config.PongTimeout, or reading fails.
func (c *conn) ping() error {
	now := time.Now()
	if err := c.readBefore(now.Add(c.config.PongTimeout)); err != nil {
		return err
	}
	return c.ws.WriteControl(websocket.PingMessage, nil, now.Add(c.config.WriteTimeout))
}

// heard allows the server to be silent until the answer to the next ping is overdue.
func (c *conn) heard() error {
	return c.readBefore(time.Now().Add(c.config.PingInterval + c.config.PongTimeout))
}

// readBefore sets when reading fails, but not beyond the deadline.
func (c *conn) readBefore(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.deadline.IsZero() && t.After(c.deadline) {
		t = c.deadline
	}
	return c.ws.SetReadDeadline(t)
}

// endReading makes reading fail at t at the latest.
func (c *conn) endReading(t time.Time) {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	_ = c.readBefore(t) // a socket that cannot take a deadline is closed already
}

// errLongMessage means that the server sent a message of more than readLimit.
var errLongMessage = &CloseError{Code: websocket.CloseMessageTooBig, Reason: "the recognizer's message is too long"}

// read returns the next message. It is valid until the next read. The server has no business sending binary frames, but
// some send their messages in them: binary says so.
func (c *conn) read() (data []byte, binary bool, err error) {
	c.forget()
	// Time that the reader itself took is not the server's silence.
	if err := c.heard(); err != nil {
		return nil, false, err
	}
	messageType, r, err := c.ws.NextReader()
	if err != nil {
		return nil, false, c.closeError(err)
	}
	c.received()
	data, err = c.fill(r)
	return data, messageType != websocket.TextMessage, err
}

// fill reads a message into a buffer. The library bounds what is on the wire, but not what a compressed message becomes.
func (c *conn) fill(r io.Reader) ([]byte, error) {
	var ok bool
	if c.buf, ok = c.texts.Get().(*bytes.Buffer); !ok {
		c.buf = new(bytes.Buffer)
	}
	n, err := io.Copy(c.buf, io.LimitReader(r, readLimit+1))
	switch {
	case err != nil:
		return nil, c.closeError(err)
	case n > readLimit:
		return nil, errLongMessage
	}
	return c.buf.Bytes(), nil
}

// forget gives the last message's buffer to others before the reader waits. A long one must not stay.
func (c *conn) forget() {
	if c.buf != nil && c.buf.Cap() <= 64<<10 {
		c.buf.Reset()
		c.texts.Put(c.buf)
	}
	c.buf = nil
}

// closeError translates the library's error for a close frame, or for the lack of one.
func (c *conn) closeError(err error) error {
	if errors.Is(err, websocket.ErrReadLimit) {
		return errLongMessage
	}
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return err
	}
	return &CloseError{Code: closed.Code, Reason: c.config.Key.scrub(shorten(closed.Text))}
}

// bye sends a close frame of code 1000. The socket stays open.
func (c *conn) bye() {
	frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	// The other side may have closed first; then the close frame is not needed.
	_ = c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
	_ = c.flush(time.Second)
}

// abort closes the socket at once. Reads and writes under way fail.
func (c *conn) abort() { _ = c.ws.Close() }
