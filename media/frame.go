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

// The library makes a reader for each frame and a buffer for each connection. A stream is thousands of small frames and
// hundreds of streams wait at the same time, so here its frames are read in place (RFC 6455 section 5); the library has
// done the handshake.

// Why reading ends, beside the errors of the connection.
var (
	errPeerClosed = errors.New("media: the carrier closed the connection")
	errFraming    = errors.New("media: a frame that RFC 6455 does not allow")
	errNotText    = errors.New("media: a text that is not UTF-8")
	errTooBig     = errors.New("media: a monstrous message")
)

const (
	opContinuation = 0
	finalBit       = 0x80
	reservedBits   = 0x70
	maskBit        = 0x80
	maxControl     = 125 // bytes of a control frame
)

// A frameReader takes messages apart. Its methods belong to one reader, and an error stays.
type frameReader struct {
	fill  func() error            // puts what comes next into in, at least one byte; it does not return io.EOF
	ping  func(data string) error // takes the carrier's ping
	limit int64                   // of a message

	in    []byte // what has come and was not read
	left  int64  // what is missing of the present frame
	size  int64  // of the message so far, with all of the frame
	key   [4]byte
	turn  int  // which byte of key is the next byte's
	final bool // the frame is the message's last
	open  bool // the message is not over
	text  bool // the message is text
	utf8  textCheck
	err   error
}

// next begins the next text or binary message and says which it is. What was not read of the last is skipped. Read returns
// the message.
func (f *frameReader) next() (kind int, err error) {
	for f.open && f.err == nil {
		f.skip()
	}
	f.size = 0
	return f.begin()
}

// skip leaves out some of the message.
func (f *frameReader) skip() {
	switch {
	case f.left > 0 && f.more():
		n := min(f.left, int64(len(f.in)))
		f.taken(f.in[:n])
	case f.left > 0: // failed
	case f.final:
		f.close()
	default:
		_, _ = f.begin() // which keeps its error
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

// taken unmasks and checks b, which is what comes next of the payload or a copy of it, and leaves it behind.
func (f *frameReader) taken(b []byte) {
	f.turn = mask(b, f.key, f.turn)
	f.in, f.left = f.in[len(b):], f.left-int64(len(b))
	if f.text && !f.utf8.add(b) {
		f.err = errNotText
	}
}

// close ends the message, of which everything was read.
func (f *frameReader) close() {
	f.open = false
	if f.text && f.err == nil && !f.utf8.whole() {
		f.err = errNotText
	}
}

// more tells whether there is something to read, after waiting for it.
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

// begin reads up to the payload of the next data frame. Control frames are dealt with.
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

// header reads what comes before a payload.
func (f *frameReader) header() (first byte, length uint64, err error) {
	var b [8]byte
	if err := f.full(b[:2]); err != nil {
		return 0, 0, err
	}
	first, length = b[0], uint64(b[1]&^maskBit)
	if first&reservedBits != 0 || b[1]&maskBit == 0 {
		return 0, 0, errFraming // what a client sends is masked
	}
	least, most := uint64(0), uint64(maxControl) // what this form of a length may say: the shortest must be used (section 5.2)
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

// control deals with a control frame. It returns errPeerClosed for the last.
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

// closed returns errPeerClosed, or what is wrong with the payload of a close frame: it should be empty, or a code that may
// be sent and a text (section 7.4).
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

// A textCheck checks UTF-8 that comes in pieces. Its zero value has seen nothing.
type textCheck struct {
	rest [utf8.UTFMax]byte // the beginning of a character
	n    int               // bytes of it
}

// add tells whether the text may still be UTF-8 with b behind it.
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

// whole tells whether the text does not end inside of a character.
func (t *textCheck) whole() bool { return t.n == 0 }

// mask masks or unmasks b, which begins with byte number turn of the key, and returns with which it would go on.
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

// appendFrame appends a whole frame as a server sends it.
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
