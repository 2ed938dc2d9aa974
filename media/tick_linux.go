package media

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

type tickingListener struct{ net.Listener }

func tickedListener(l net.Listener) net.Listener { return tickingListener{l} }

func (l tickingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &acceptedConn{TCPConn: tcp}, err
	}
	return c, err
}

// An acceptedConn is a TCP connection of the HTTP server. After the upgrade the stream takes the connection over, so that
// the server's handler can return and free its memory for the connection, several kilobytes.
type acceptedConn struct {
	*net.TCPConn
	taken atomic.Bool
}

var errTaken = errors.New("media: the connection is a stream's")

// take returns the connection inside a handler's connection, and the bytes that the server has already read, if the stream
// can take the connection over. The handler's connection cannot be used afterwards. Only its reader may call take.
func take(handlers net.Conn) (c net.Conn, early []byte, ok bool) {
	under := unwrapped(handlers)
	if wrapper, ok := under.(interface{ NetConn() net.Conn }); ok {
		under = wrapper.NetConn()
	}
	a, ok := under.(*acceptedConn)
	if !ok {
		return nil, nil, false
	}
	a.taken.Store(true)
	early, _ = io.ReadAll(handlers) // up to errTaken
	return &tickedConn{Conn: a.TCPConn, tcp: a.TCPConn}, early, true
}

func (a *acceptedConn) Read(b []byte) (int, error) {
	if a.taken.Load() {
		return 0, errTaken
	}
	return a.TCPConn.Read(b)
}

// Close does nothing to a connection that a stream has taken over.
func (a *acceptedConn) Close() error {
	if a.taken.Load() {
		return nil
	}
	return a.TCPConn.Close()
}

// A tickedConn is a TCP connection that tick removes from the Go runtime's poller, so that arriving data wakes no
// goroutine. From then on Read sleeps until the next tick and reads the available data.
//
// Methods may be called concurrently, except that only one goroutine may call Read and tick, and only one at a time Write.
type tickedConn struct {
	net.Conn // used before tick; closed by tick, after which only its addresses are used
	tcp      *net.TCPConn

	ticking atomic.Bool
	next    func() time.Duration
	pace    pace
	more    bool // the last Read filled its buffer: more data may be available
	read    int  // bytes read since the last tick

	readBy, writeBy atomic.Int64 // deadlines in nanoseconds since zero; 0 for none

	mu     sync.Mutex // prevents closing, and so reuse, of the descriptor during a system call
	fd     int
	closed bool
}

// tick removes the socket from the poller by replacing its descriptor with a duplicate.
func (c *tickedConn) tick(next func() time.Duration) error {
	if c.ticking.Load() {
		return nil
	}
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return err
	}
	fd, errno := 0, syscall.Errno(0)
	err = raw.Control(func(old uintptr) {
		var r uintptr
		r, _, errno = syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		fd = int(r)
	})
	if err = errors.Join(err, errnoErr(errno)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fd, c.next, c.pace = fd, next, pace{zero: zero}
	c.ticking.Store(true)
	return c.tcp.Close()
}

func errnoErr(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// Read sleeps until the next tick and reads the available data; if there is none, it sleeps until the tick after that. Data
// that did not fit is read without waiting.
func (c *tickedConn) Read(b []byte) (int, error) {
	if !c.ticking.Load() {
		return c.Conn.Read(b)
	}
	for {
		c.sleep()
		if n, err := c.poll(b); n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// sleep waits for the next tick, unless the last read filled its buffer. Data above maxPerTick stays in the socket, so that
// one connection does not keep a CPU busy.
func (c *tickedConn) sleep() {
	if !c.more || c.read >= maxPerTick {
		time.Sleep(c.pace.next(c.next()))
		c.read = 0
	}
}

// poll reads the available data without waiting.
func (c *tickedConn) poll(b []byte) (int, error) {
	c.more = false
	if overdue(&c.readBy) {
		return 0, c.fail("read", os.ErrDeadlineExceeded)
	}
	n, err := c.do(syscall.SYS_READ, b)
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return 0, nil
	case err != nil:
		return 0, c.fail("read", err)
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	c.more = n == len(b)
	c.read += n
	return n, nil
}

// writeRetry is the delay before a write to a full socket is tried again.
const writeRetry = 5 * time.Millisecond

func (c *tickedConn) Write(b []byte) (int, error) {
	if !c.ticking.Load() {
		return c.Conn.Write(b)
	}
	for done := 0; ; {
		if overdue(&c.writeBy) {
			return done, c.fail("write", os.ErrDeadlineExceeded)
		}
		n, err := c.do(syscall.SYS_WRITE, b[done:])
		done += n
		switch {
		case errors.Is(err, syscall.EAGAIN):
			time.Sleep(writeRetry)
		case err != nil && !errors.Is(err, syscall.EINTR):
			return done, c.fail("write", err)
		case done == len(b):
			return done, nil
		}
	}
}

// do makes a system call on the descriptor. The call never blocks, so it is made without informing the Go scheduler, which
// would otherwise monitor it and hand its P to another thread.
func (c *tickedConn) do(call uintptr, b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	n, _, errno := syscall.RawSyscall(call, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func (c *tickedConn) fail(op string, err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = os.NewSyscallError(op, err)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

func overdue(deadline *atomic.Int64) bool {
	at := deadline.Load()
	return at != 0 && int64(time.Since(zero)) >= at
}

func (c *tickedConn) Close() error {
	if !c.ticking.Load() {
		return c.Conn.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	return syscall.Close(c.fd)
}

// CloseWrite closes the write side of the connection.
func (c *tickedConn) CloseWrite() error {
	if !c.ticking.Load() {
		return c.tcp.CloseWrite()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return syscall.Shutdown(c.fd, syscall.SHUT_WR)
}

// SetDeadline sets both deadlines. After tick they are checked at each tick.
func (c *tickedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the time when Read fails.
func (c *tickedConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(&c.readBy, t, c.Conn.SetReadDeadline)
}

// SetWriteDeadline sets the time when Write fails.
func (c *tickedConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(&c.writeBy, t, c.Conn.SetWriteDeadline)
}

func (c *tickedConn) setDeadline(kept *atomic.Int64, t time.Time, set func(time.Time) error) error {
	if t.IsZero() {
		kept.Store(0)
	} else {
		kept.Store(max(1, int64(t.Sub(zero))))
	}
	if c.ticking.Load() {
		return nil
	}
	err := set(t)
	if c.ticking.Load() {
		return nil // tick was called concurrently and applies the stored deadline
	}
	return err
}
