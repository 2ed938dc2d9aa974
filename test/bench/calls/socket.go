package main

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
)

// A socket is a file descriptor outside the Go runtime's poller: it is read and written by explicit system calls, and
// arriving data wakes no goroutine, so that thousands of sockets cost only their system calls.
type socket int

// take makes a socket of a connection, which is closed by that.
func take(c *net.TCPConn) (socket, error) {
	f, err := c.File()
	_ = c.Close()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return 0, err
	}
	return socket(fd), syscall.SetNonblock(fd, true)
}

// write sends what the socket has room for.
func (s socket) write(b []byte) (int, error) {
	n, err := syscall.Write(int(s), b)
	if errors.Is(err, syscall.EAGAIN) {
		return 0, nil
	}
	return n, err
}

// read returns 0 and no error when there is nothing to be read, and errEnd at the end.
func (s socket) read(b []byte) (int, error) {
	n, err := syscall.Read(int(s), b)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errEnd
	}
	return n, nil
}

func (s socket) close() { _ = syscall.Close(int(s)) }

var errEnd = errors.New("the other side closed the connection")

// The opcodes of RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// appendFrame appends a frame. The mask of a client's is zero, which changes nothing.
func appendFrame(b []byte, op byte, payload string, client bool) []byte {
	var mask byte
	if client {
		mask = 0x80
	}
	b = append(b, 0x80|op)
	if n := len(payload); n < 126 {
		b = append(b, mask|byte(n))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	}
	if client {
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, payload...)
}

// A wsFrame is one that came in, still masked.
type wsFrame struct {
	op      byte
	mask    [4]byte
	payload []byte
}

// parseFrame takes one frame off b and returns the rest, or false if b does not hold all of it.
func parseFrame(b []byte) (wsFrame, []byte, bool) {
	if len(b) < 2 {
		return wsFrame{}, b, false
	}
	f, n, at := wsFrame{op: b[0] & 15}, int(b[1]&127), 2
	if n == 126 {
		if len(b) < 4 {
			return wsFrame{}, b, false
		}
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	masked := b[1]&0x80 != 0
	if masked {
		if len(b) < at+4 {
			return wsFrame{}, b, false
		}
		copy(f.mask[:], b[at:])
		at += 4
	}
	if len(b) < at+n {
		return wsFrame{}, b, false
	}
	f.payload = b[at : at+n]
	return f, b[at+n:], true
}

// text is a short payload without its mask.
func (f wsFrame) text() string {
	b := make([]byte, len(f.payload))
	for i, c := range f.payload {
		b[i] = c ^ f.mask[i%4]
	}
	return string(b)
}
