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

	mu      sync.Mutex // guards the rest; not held while waiting for room in the socket
	busy    bool       // a goroutine is writing
	free    *sync.Cond // signaled when busy turns false
	lazy    bool
	pending []byte // buffered by Write, not yet written

	// Used by the writing goroutine:
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
	p.free = sync.NewCond(&p.mu)
	p.try = p.write
	return p
}

// maxPending is how much Write buffers at most before it waits: a few messages.
const maxPending = 32 << 10

// bufferWrites makes Write buffer bytes for which the socket has no room, instead of waiting. flush or the next Write writes them.
func (p *plainConn) bufferWrites() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lazy = true
}

// hasPending reports whether buffered bytes are not yet written.
func (p *plainConn) hasPending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy || len(p.pending) > 0
}

// Write may be called concurrently: what each one writes stays together.
func (p *plainConn) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy && p.keep(b) { // a goroutine that waits for room must not block this one
		return len(b), nil
	}
	p.begin()
	defer p.end()
	if err := p.writePending(); err != nil {
		return 0, err
	}
	n := 0
	if len(p.pending) == 0 {
		var err error
		if n, err = p.put(b); err != nil || n == len(b) {
			return n, err
		}
	}
	if p.keep(b[n:]) {
		return len(b), nil
	}
	by := p.writeBy.Load()
	if err := p.flushPending(by); err != nil {
		return n, err
	}
	m, err := p.wait(b[n:], by)
	return n + m, err
}

// flush writes all that was kept, waiting for room until by.
func (p *plainConn) flush(by time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	defer p.end()
	return p.flushPending(by.UnixNano())
}

// begin waits until no other goroutine writes, and marks the connection as busy. The caller holds mu, as for the functions below.
func (p *plainConn) begin() {
	for p.busy {
		p.free.Wait()
	}
	p.busy = true
}

func (p *plainConn) end() {
	p.busy = false
	p.free.Signal()
}

// keep buffers b to be written later. It reports whether there was room.
func (p *plainConn) keep(b []byte) bool {
	if !p.lazy || len(p.pending)+len(b) > maxPending {
		return false
	}
	p.pending = append(p.pending, b...)
	return true
}

// writePending writes as much of the buffered bytes as the socket has room for.
func (p *plainConn) writePending() error {
	if len(p.pending) == 0 {
		return nil
	}
	n, err := p.put(p.pending)
	if p.pending = p.pending[n:]; len(p.pending) == 0 {
		p.pending = nil
	}
	return err
}

// flushPending writes the buffered bytes, including those that are added while it waits.
func (p *plainConn) flushPending(by int64) error {
	for len(p.pending) > 0 {
		late := p.pending
		p.pending = nil
		if _, err := p.wait(late, by); err != nil {
			return err // the connection is of no more use
		}
	}
	return nil
}

// put writes as much of b as the socket has room for, without waiting.
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

// wait writes b, waiting for room until by; 0 waits without limit. It releases mu while it waits.
func (p *plainConn) wait(b []byte, by int64) (int, error) {
	p.mu.Unlock()
	defer p.mu.Lock()
	if by != 0 {
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
