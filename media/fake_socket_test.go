package media

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
)

// A fakeSocket is a socket in memory, for tests in simulated time. Messages put into in are read; what is
// written is kept.
type fakeSocket struct {
	in   chan []byte   // text messages from the carrier; closing it breaks the connection
	gone chan struct{} // closed by Close

	mu      sync.Mutex
	expired chan struct{} // closed when the read deadline has passed
	dead    bool          // expired is closed
	timer   *time.Timer
	wrote   []string // messages and control frames, as "text …", "ping", "pong …", "close …"
	at      []time.Time
	stuck   bool // writes wait for Close
	ping    func(string) error
	closed  bool

	pingPanics bool // set before the stream starts
}

func newFakeSocket() *fakeSocket {
	return &fakeSocket{
		in: make(chan []byte, 100), gone: make(chan struct{}), expired: make(chan struct{}),
	}
}

var errBroken = &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}

func (f *fakeSocket) NextReader() (int, io.Reader, error) {
	f.mu.Lock()
	expired := f.expired
	f.mu.Unlock()
	select {
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case b, ok := <-f.in:
		if !ok {
			return 0, nil, errBroken
		}
		return websocket.TextMessage, bytes.NewReader(b), nil
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	case <-f.gone:
		return 0, nil, net.ErrClosed
	}
}

func (f *fakeSocket) write(what string) error {
	f.mu.Lock()
	stuck := f.stuck
	f.mu.Unlock()
	if stuck {
		<-f.gone
		return net.ErrClosed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrote, f.at = append(f.wrote, what), append(f.at, time.Now())
	return nil
}

func (f *fakeSocket) WriteMessage(_ int, data []byte) error { return f.write("text " + string(data)) }

func (f *fakeSocket) WriteControl(kind int, data []byte, _ time.Time) error {
	switch kind {
	case websocket.PingMessage:
		if f.pingPanics {
			panic("ping")
		}
		return f.write("ping")
	case websocket.PongMessage:
		return f.write("pong " + string(data))
	}
	return f.write("close " + strconv.Itoa(int(data[0])<<8|int(data[1])))
}

func (f *fakeSocket) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.dead {
		f.expired, f.dead = make(chan struct{}), false
	}
	expired := f.expired
	expire := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.expired == expired && !f.dead {
			f.dead = true
			close(expired)
		}
	}
	if d := time.Until(t); d > 0 {
		f.timer = time.AfterFunc(d, expire)
		return nil
	}
	f.dead = true
	close(expired)
	return nil
}

func (f *fakeSocket) SetWriteDeadline(time.Time) error { return nil }
func (f *fakeSocket) SetReadLimit(int64)               {}
func (f *fakeSocket) SetPingHandler(h func(string) error) {
	f.ping = h
}
func (f *fakeSocket) SetCloseHandler(func(int, string) error) {}

func (f *fakeSocket) Linger(atMost time.Duration) {
	time.Sleep(atMost) // the carrier does not close
	_ = f.Close()
}

func (f *fakeSocket) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return net.ErrClosed
	}
	f.closed = true
	close(f.gone)
	return nil
}

func (f *fakeSocket) written() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.wrote...)
}
