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

	mu   sync.Mutex // guards what follows; nobody waits for room with it
	busy bool       // somebody writes
	free *sync.Cond // signaled when nobody does any more
	lazy bool
	late []byte // what lazy Writes kept

	// Of who writes:
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

// mostLate is how much lazy Writes keep at most before one waits: a few messages.
const mostLate = 32 << 10

// beLazy makes Write keep what there is no room for, for flush or the next Write, instead of waiting.
func (p *plainConn) beLazy() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lazy = true
}

// left reports whether something is not written yet.
func (p *plainConn) left() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy || len(p.late) > 0
}

// Write may be called concurrently: what each one writes stays together.
func (p *plainConn) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy && p.keep(b) { // who waits for room must not make others wait
		return len(b), nil
	}
	p.begin()
	defer p.end()
	if err := p.putLate(); err != nil {
		return 0, err
	}
	n := 0
	if len(p.late) == 0 {
		var err error
		if n, err = p.put(b); err != nil || n == len(b) {
			return n, err
		}
	}
	if p.keep(b[n:]) {
		return len(b), nil
	}
	by := p.writeBy.Load()
	if err := p.waitLate(by); err != nil {
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
	return p.waitLate(by.UnixNano())
}

// begin makes this the one who writes. The caller holds mu, here and in what follows.
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

// keep takes what is to be written later, if that may be.
func (p *plainConn) keep(b []byte) bool {
	if !p.lazy || len(p.late)+len(b) > mostLate {
		return false
	}
	p.late = append(p.late, b...)
	return true
}

// putLate writes of what was kept as much as there is room for.
func (p *plainConn) putLate() error {
	if len(p.late) == 0 {
		return nil
	}
	n, err := p.put(p.late)
	if p.late = p.late[n:]; len(p.late) == 0 {
		p.late = nil
	}
	return err
}

// waitLate writes what was kept, and what others have written meanwhile.
func (p *plainConn) waitLate(by int64) error {
	for len(p.late) > 0 {
		late := p.late
		p.late = nil
		if _, err := p.wait(late, by); err != nil {
			return err // the connection is of no more use
		}
	}
	return nil
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

// wait writes b, waiting for room until by; 0 is for ever. It gives mu back meanwhile.
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
