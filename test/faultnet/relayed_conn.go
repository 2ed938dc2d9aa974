package faultnet

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// A relayed connection is ours to the client (near) and ours to the server (far).
type relayed struct {
	near, far net.Conn
	frozen    atomic.Bool
	cut       chan struct{} // closed by Reset
	once      sync.Once
}

func newRelayed(near, far net.Conn) *relayed {
	return &relayed{near: near, far: far, cut: make(chan struct{})}
}

// Client is our address on the way to the server.
func (l *relayed) Client() string { return l.far.LocalAddr().String() }

// Reset closes both connections so that the other ends are reset rather than told.
func (l *relayed) Reset() {
	l.once.Do(func() {
		close(l.cut)
		for _, c := range []net.Conn{l.near, l.far} {
			if t, ok := c.(*net.TCPConn); ok {
				_ = t.SetLinger(0)
			}
			_ = c.Close()
		}
	})
}

// Freeze makes us stop reading: the buffers of the kernel fill, and in the end the writes of both ends block.
func (l *relayed) Freeze() { l.frozen.Store(true) }

// copy passes bytes on until the end, or until the line is cut.
func (l *relayed) copy(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if l.frozen.Load() {
			<-l.cut
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				l.Reset()
				return
			}
		}
		if errors.Is(err, io.EOF) && closeWrite(to) == nil {
			return
		}
		if err != nil {
			l.Reset()
			return
		}
	}
}

func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
