package faultnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferSize is what a direction of a connection holds: about what a socket of the loopback interface does.
const bufferSize = 64 << 10

// A flow is one direction of a connection in memory.
type flow struct {
	mu      sync.Mutex // guards the rest
	changed sync.Cond  // anything of the rest changed, or a deadline passed
	buf     []byte     // written and not yet read
	broken  error      // set by reset
	frozen  bool
	ended   bool // the writer has closed its end
	left    bool // the reader has closed its end
	readBy  time.Time
	writeBy time.Time
}

func newFlow() *flow {
	f := &flow{}
	f.changed.L = &f.mu
	return f
}

func (f *flow) read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.left:
			return 0, net.ErrClosed
		case f.broken != nil:
			return 0, f.broken
		case expired(f.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case !f.frozen && len(f.buf) > 0:
			n := copy(p, f.buf)
			f.buf = append(f.buf[:0], f.buf[n:]...)
			f.changed.Broadcast()
			return n, nil
		case !f.frozen && f.ended:
			return 0, io.EOF
		}
		f.wait(f.readBy)
	}
}

func (f *flow) write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.ended:
			return n, net.ErrClosed
		case f.broken != nil:
			return n, f.broken
		case f.left && !f.frozen:
			return n, syscall.EPIPE
		case expired(f.writeBy):
			return n, os.ErrDeadlineExceeded
		}
		if room := min(bufferSize-len(f.buf), len(p)-n); room > 0 {
			f.buf = append(f.buf, p[n:n+room]...)
			n += room
			f.changed.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		f.wait(f.writeBy)
	}
}

// wait waits for a change, or for a deadline. The caller holds mu.
func (f *flow) wait(deadline time.Time) {
	if !deadline.IsZero() {
		timer := time.AfterFunc(time.Until(deadline), f.wake)
		defer timer.Stop()
	}
	f.changed.Wait()
}

func (f *flow) wake() { f.change(func() {}) }

// change changes the flow and tells all who wait.
func (f *flow) change(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
	f.changed.Broadcast()
}

func (f *flow) finish() { f.change(func() { f.ended = true }) }
func (f *flow) leave()  { f.change(func() { f.left, f.buf = true, nil }) }
func (f *flow) freeze() { f.change(func() { f.frozen = true }) }
func (f *flow) reset()  { f.change(func() { f.broken, f.buf = syscall.ECONNRESET, nil }) }

func (f *flow) setReadDeadline(t time.Time)  { f.change(func() { f.readBy = t }) }
func (f *flow) setWriteDeadline(t time.Time) { f.change(func() { f.writeBy = t }) }

func expired(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }
