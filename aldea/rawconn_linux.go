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
	lazy  bool
	late  []byte // what a lazy Write left
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
	if err := p.writeLate(); err != nil {
		return 0, err
	}
	n := 0
	if len(p.late) == 0 {
		var err error
		if n, err = p.put(b); err != nil || n == len(b) {
			return n, err
		}
	}
	if p.lazy && len(p.late)+len(b)-n <= mostLate {
		p.late = append(p.late, b[n:]...)
		return len(b), nil
	}
	if err := p.waitLate(); err != nil {
		return n, err
	}
	m, err := p.wait(b[n:])
	return n + m, err
}

// mostLate is how much a lazy Write leaves at most before it waits: a few messages.
const mostLate = 32 << 10

// beLazy makes Write leave what there is no room for to flush, or to the next Write, instead of waiting.
func (p *plainConn) beLazy() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lazy = true
}

// left reports whether Write left something.
func (p *plainConn) left() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.late) > 0
}

// flush writes what Write left, waiting for room up to the deadline.
func (p *plainConn) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waitLate()
}

// waitLate waits until what was left is written.
func (p *plainConn) waitLate() error {
	if len(p.late) == 0 {
		return nil
	}
	n, err := p.wait(p.late)
	p.written(n)
	return err
}

// writeLate writes of what was left as much as there is room for.
func (p *plainConn) writeLate() error {
	if len(p.late) == 0 {
		return nil
	}
	n, err := p.put(p.late)
	p.written(n)
	return err
}

// written takes n bytes off what was left.
func (p *plainConn) written(n int) {
	if p.late = p.late[n:]; len(p.late) == 0 {
		p.late = nil
	}
}

// put writes what there is room for.
func (p *plainConn) put(b []byte) (int, error) {
	p.rest, p.errno = b, 0
	err := p.raw.Write(p.try)
	done := len(b) - len(p.rest)
	p.rest = nil
	if err == nil && p.errno != 0 {
		err = &net.OpError{Op: "write", Net: "tcp", Source: p.LocalAddr(), Addr: p.RemoteAddr(), Err: p.errno}
	}
	return done, err
}

// wait writes b, waiting for room.
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
