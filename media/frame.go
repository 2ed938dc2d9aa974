package media

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"github.com/gofiber/contrib/websocket"
)

// The library allocates a reader for each frame and a buffer for each connection. Streams have thousands of small frames and
// hundreds of them wait at the same time, so frames are read in place here (RFC 6455 section 5), after the library's
// handshake.

// The reasons why reading ends, besides errors of the connection.
var (
	errPeerClosed = errors.New("media: the carrier closed the connection")
	errFraming    = errors.New("media: frame violates RFC 6455")
	errNotText    = errors.New("media: text message is not UTF-8")
	errTooBig     = errors.New("media: message far above the limit")
)

const (
	opContinuation = 0
	finalBit       = 0x80
	reservedBits   = 0x70
	maskBit        = 0x80
	maxControl     = 125 // bytes of a control frame
)

// A frameReader reads WebSocket messages. Only one goroutine may use it. After an error every call returns the same error.
type frameReader struct {
	fill  func() error            // sets in to the next bytes, at least one; it does not return io.EOF
	ping  func(data string) error // called with the data of each ping
	limit int64                   // maximum length of a message

	in    []byte // received bytes that are not read yet
	left  int64  // payload bytes of the current frame that are not read yet
	size  int64  // length of the message up to the end of the current frame
	key   [4]byte
	turn  int  // index into key for the next byte
	final bool // the current frame is the last of the message
	open  bool // the message has not ended
	text  bool // the message is text
	utf8  textCheck
	err   error
}

// next starts the next text or binary message and returns its type. The unread rest of the previous message is skipped.
func (f *frameReader) next() (kind int, err error) {
	for f.open && f.err == nil {
		f.skip()
	}
	f.size = 0
	return f.begin()
}

// skip discards part of the message.
func (f *frameReader) skip() {
	switch {
	case f.left > 0 && f.more():
		n := min(f.left, int64(len(f.in)))
		f.taken(f.in[:n])
	case f.left > 0: // failed
	case f.final:
		f.close()
	default:
		_, _ = f.begin() // stores its error
	}
}

// Read reads from the message. It returns io.EOF at its end.
func (f *frameReader) Read(b []byte) (int, error) {
	for f.left == 0 {
		if f.final {
			f.close()
			return 0, cmp.Or(f.err, io.EOF)
		}
		if _, err := f.begin(); err != nil {
			return 0, err
		}
	}
	if !f.more() {
		return 0, f.err
	}
	n := copy(b[:min(int64(len(b)), f.left)], f.in)
	f.taken(b[:n])
	return n, f.err
}

// taken unmasks and checks b, the next payload bytes or a copy of them, and advances past them.
func (f *frameReader) taken(b []byte) {
	f.turn = mask(b, f.key, f.turn)
	f.in, f.left = f.in[len(b):], f.left-int64(len(b))
	if f.text && !f.utf8.add(b) {
		f.err = errNotText
	}
}

// close ends a message that was read completely.
func (f *frameReader) close() {
	f.open = false
	if f.text && f.err == nil && !f.utf8.whole() {
		f.err = errNotText
	}
}

// more waits for data and reports whether there is any.
func (f *frameReader) more() bool {
	if len(f.in) == 0 && f.err == nil {
		f.err = f.fill()
	}
	return len(f.in) > 0
}

// full reads exactly b.
func (f *frameReader) full(b []byte) error {
	for len(b) > 0 {
		if !f.more() {
			return f.err
		}
		n := copy(b, f.in)
		f.in, b = f.in[n:], b[n:]
	}
	return nil
}

// begin reads up to the payload of the next data frame. It handles the control frames before it.
func (f *frameReader) begin() (kind int, err error) {
	for f.err == nil {
		var first byte
		var length uint64
		if first, length, f.err = f.header(); f.err != nil {
			break
		}
		op := int(first &^ finalBit)
		if op >= websocket.CloseMessage {
			f.err = f.control(op, first, length)
			continue
		}
		if f.open != (op == opContinuation) || op > websocket.BinaryMessage {
			f.err = errFraming
			break
		}
		if length > uint64(f.limit-f.size) {
			f.err = errTooBig
			break
		}
		if op != opContinuation {
			f.text, f.utf8 = op == websocket.TextMessage, textCheck{}
		}
		f.size += int64(length)
		f.left, f.turn, f.open, f.final = int64(length), 0, true, first&finalBit != 0
		return op, nil
	}
	return 0, f.err
}

// header reads the header of a frame.
func (f *frameReader) header() (first byte, length uint64, err error) {
	var b [8]byte
	if err := f.full(b[:2]); err != nil {
		return 0, 0, err
	}
	first, length = b[0], uint64(b[1]&^maskBit)
	if first&reservedBits != 0 || b[1]&maskBit == 0 {
		return 0, 0, errFraming // a client must mask its frames
	}
	least, most := uint64(0), uint64(maxControl) // range of this form of a length: the shortest form must be used (section 5.2)
	switch length {
	case 126:
		least, most = maxControl+1, math.MaxUint16
		err = f.full(b[:2])
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		least, most = math.MaxUint16+1, math.MaxInt64
		err = f.full(b[:8])
		length = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, 0, err
	}
	if length < least || length > most {
		return 0, 0, errFraming
	}
	return first, length, f.full(f.key[:])
}

// control handles a control frame. It returns errPeerClosed for a close frame.
func (f *frameReader) control(op int, first byte, length uint64) error {
	if first&finalBit == 0 || length > maxControl || op > websocket.PongMessage {
		return errFraming
	}
	var b [maxControl]byte
	data := b[:length]
	if err := f.full(data); err != nil {
		return err
	}
	mask(data, f.key, 0)
	switch op {
	case websocket.PingMessage:
		return f.ping(string(data))
	case websocket.CloseMessage:
		return closed(data)
	}
	return nil
}

// closed checks the payload of a close frame, which must be empty, or a valid code and a text (section 7.4). It returns
// errPeerClosed for a valid one.
func closed(data []byte) error {
	switch {
	case len(data) == 0:
		return errPeerClosed
	case len(data) < 2 || !validCode(binary.BigEndian.Uint16(data)):
		return errFraming
	case !utf8.Valid(data[2:]):
		return errNotText
	}
	return errPeerClosed
}

func validCode(code uint16) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// A textCheck validates UTF-8 that arrives in pieces. The zero value is ready for use.
type textCheck struct {
	rest [utf8.UTFMax]byte // an incomplete character at the end of the last piece
	n    int               // length of rest
}

// add appends b and reports whether the text can still be valid UTF-8.
func (t *textCheck) add(b []byte) bool {
	for t.n > 0 && len(b) > 0 {
		t.rest[t.n] = b[0]
		t.n, b = t.n+1, b[1:]
		if utf8.FullRune(t.rest[:t.n]) {
			if !utf8.Valid(t.rest[:t.n]) {
				return false
			}
			t.n = 0
		}
	}
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax+1); i-- {
		if !utf8.RuneStart(b[i]) {
			continue
		}
		if !utf8.FullRune(b[i:]) {
			t.n = copy(t.rest[:], b[i:])
			b = b[:i]
		}
		break
	}
	return utf8.Valid(b)
}

// whole reports whether the text ends at a character boundary.
func (t *textCheck) whole() bool { return t.n == 0 }

// mask masks or unmasks b, beginning with byte turn of the key, and returns the index for the byte after b.
func mask(b []byte, key [4]byte, turn int) int {
	var k [8]byte
	for i := range k {
		k[i] = key[(turn+i)%4]
	}
	turn = (turn + len(b)) % 4
	for eight := binary.LittleEndian.Uint64(k[:]); len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^eight)
	}
	for i := range b {
		b[i] ^= k[i]
	}
	return turn
}

// appendFrame appends a complete, unmasked frame.
func appendFrame(b []byte, op int, data []byte) []byte {
	b = append(b, finalBit|byte(op))
	switch n := len(data); {
	case n <= maxControl:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, data...)
}
