package media

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/gofiber/contrib/websocket"
)

// maxMessageFactor times Server.MaxMessage is the length of a message above which the connection is closed with 1009
// (RFC 6455 section 7.4.1). A message above MaxMessage is skipped without being buffered.
const maxMessageFactor = 16

// firstBuffer has room for a media message of 40 ms. The buffer grows when needed.
const firstBuffer = 1024

// read waits for the next message. It returns nil for an unusable message, which it counts. The message is valid until the
// next call.
func (st *Stream) read() (*message, error) {
	st.giveBack()
	kind, r, err := st.ws.NextReader() // waits
	if err != nil {
		return nil, err
	}
	st.borrow()
	b, err := st.readAll(r)
	if err != nil {
		return nil, err
	}
	switch {
	case b == nil:
		st.skip(errTooLong)
	case kind != websocket.TextMessage:
		st.skip(errBinary)
	default:
		if err := st.msg.parse(b); err != nil {
			st.skip(err)
			break
		}
		return &st.msg, nil
	}
	return nil, nil
}

// borrow gets a buffer from the shared pool for one message.
func (st *Stream) borrow() {
	if st.spare == nil {
		return // the stream has its own
	}
	st.borrowed = st.buffer()
	st.buf = st.borrowed[:min(readSize, st.limits.message+1)]
}

// buffer gets a buffer from the shared pool.
func (st *Stream) buffer() *[readSize]byte {
	if b, ok := st.spare.Get().(*[readSize]byte); ok {
		return b
	}
	return new([readSize]byte)
}

// giveBack returns the buffer to the pool before the stream waits.
func (st *Stream) giveBack() {
	if st.borrowed != nil {
		st.spare.Put(st.borrowed)
		st.borrowed, st.buf = nil, nil
	}
}

// readAll reads one message into the stream's buffer. It returns nil for a message that is too long; the next NextReader
// discards the rest of it.
func (st *Stream) readAll(r io.Reader) ([]byte, error) {
	n := 0
	for {
		if n == len(st.buf) {
			if n >= st.limits.message {
				return nil, nil
			}
			st.grow()
		}
		k, err := r.Read(st.buf[n:])
		n += k
		if err == io.EOF {
			return st.buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// grow doubles the buffer, up to one byte more than the longest message, so that the end of the longest message is
// detected.
func (st *Stream) grow() {
	size := min(max(2*len(st.buf), firstBuffer), st.limits.message+1)
	buf := make([]byte, size)
	copy(buf, st.buf)
	st.buf = buf
}

// readFailed returns the reason for a read error. It sets the close code if the error has one.
func (st *Stream) readFailed(err error) EndReason {
	var netErr net.Error
	switch {
	case errors.Is(err, errTooBig):
		st.closeWith(websocket.CloseMessageTooBig)
		return EndProtocol
	case errors.Is(err, errNotText):
		st.closeWith(websocket.CloseInvalidFramePayloadData)
		return EndProtocol
	case errors.Is(err, errPeerClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr):
		return EndClosed
	}
	return EndProtocol
}
