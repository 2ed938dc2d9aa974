package aldea

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A plainConn is a TCP connection with cheaper writes. The socket nearly always has room: so what is only needed for
// waiting is left out until then. No timer is set for the deadline, and the Go scheduler is not told that a system call
// begins and ends, which would make it watch the call and hand over the processor.
type plainConn struct {
	*net.TCPConn
	raw     syscall.RawConn
	writeBy atomic.Int64 // the deadline, in nanoseconds since 1970; 0 for none

	mu    sync.Mutex // guards what follows, and writing
	rest  []byte
	errno syscall.Errno
	try   func(fd uintptr) bool // write, made once
}

// plain returns c with cheaper writes if it can have them.
func plain(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	p := &plainConn{TCPConn: tcp, raw: raw}
	p.try = p.write
	return p
}

// Write may be called concurrently: what each one writes stays together.
func (p *plainConn) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest, p.errno = b, 0
	err := p.raw.Write(p.try)
	done := len(b) - len(p.rest)
	p.rest = nil
	switch {
	case err != nil:
		return done, err
	case p.errno != 0:
		return done, &net.OpError{Op: "write", Net: "tcp", Source: p.LocalAddr(), Addr: p.RemoteAddr(), Err: p.errno}
	case done == len(b):
		return done, nil
	}
	n, err := p.wait(b[done:])
	return done + n, err
}

// wait writes what there was no room for.
func (p *plainConn) wait(b []byte) (int, error) {
	if by := p.writeBy.Load(); by != 0 {
		if err := p.TCPConn.SetWriteDeadline(time.Unix(0, by)); err != nil {
			return 0, err
		}
		defer func() { _ = p.TCPConn.SetWriteDeadline(time.Time{}) }()
	}
	return p.TCPConn.Write(b)
}

// write writes what the socket has room for.
func (p *plainConn) write(fd uintptr) (done bool) {
	for len(p.rest) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p.rest))), uintptr(len(p.rest)))
		switch errno {
		case 0:
			p.rest = p.rest[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return true
		default:
			p.errno = errno
			return true
		}
	}
	return true
}

// SetDeadline sets both deadlines.
func (p *plainConn) SetDeadline(t time.Time) error {
	_ = p.SetWriteDeadline(t)
	return p.SetReadDeadline(t)
}

// SetWriteDeadline sets when a Write that has to wait fails. It does not hurry one that waits already.
func (p *plainConn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		p.writeBy.Store(0)
	} else {
		p.writeBy.Store(t.UnixNano())
	}
	return nil
}
