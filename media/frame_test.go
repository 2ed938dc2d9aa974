package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gofiber/contrib/websocket"
)

const (
	opText   = websocket.TextMessage
	opBinary = websocket.BinaryMessage
	opClose  = websocket.CloseMessage
	opPing   = websocket.PingMessage
	opPong   = websocket.PongMessage
)

// sent is a masked frame as a carrier sends it. Without fin it is not the message's last.
func sent(fin bool, op int, data string) string {
	b := appendFrame(nil, op, []byte(data))
	if !fin {
		b[0] &^= finalBit
	}
	b[1] |= maskBit
	head, key := b[:len(b)-len(data)], [4]byte{0xA5, 0x0F, 0x33, 0xC1}
	payload := []byte(data)
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return string(head) + string(key[:]) + string(payload)
}

func whole(op int, data string) string { return sent(true, op, data) }

func closing(code uint16, text string) string {
	return string(binary.BigEndian.AppendUint16(nil, code)) + text
}

// reads reads frames that come in pieces of at most size bytes. It returns the messages, with the last begun and broken, and
// pings as "ping …", and the error.
func reads(wire string, size int) (got []string, err error) {
	f := frameReader{limit: 70000}
	f.ping = func(data string) error { got = append(got, "ping "+data); return nil }
	f.fill = func() error {
		n := min(size, len(wire))
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		f.in, wire = []byte(wire[:n]), wire[n:]
		return nil
	}
	for {
		kind, err := f.next()
		if err != nil {
			return got, err
		}
		b, err := io.ReadAll(&f)
		if err != nil {
			return got, err
		}
		got = append(got, map[int]string{opText: "text ", opBinary: "binary "}[kind]+string(b))
	}
}

func TestFramesAreReadHoweverTheyCome(t *testing.T) {
	long, longer := strings.Repeat("0123456789", 100), strings.Repeat("0123456789", 6600)
	hello := whole(opText, "hello")
	for _, c := range []struct {
		name, wire string
		want       []string
		err        error
	}{
		{"two messages", hello + whole(opBinary, "\x00\xff"), []string{"text hello", "binary \x00\xff"}, io.ErrUnexpectedEOF},
		{"an empty message", whole(opText, "") + hello, []string{"text ", "text hello"}, io.ErrUnexpectedEOF},
		{"two bytes of length", whole(opText, long), []string{"text " + long}, io.ErrUnexpectedEOF},
		{"eight bytes of length", whole(opText, longer), []string{"text " + longer}, io.ErrUnexpectedEOF},
		{"three fragments", sent(false, opText, "one ") + sent(false, opContinuation, "") + whole(opContinuation, "two") + hello, []string{"text one two", "text hello"}, io.ErrUnexpectedEOF},
		{"a ping between fragments", sent(false, opText, "one ") + whole(opPing, "are you there") + whole(opContinuation, "two"), []string{"ping are you there", "text one two"}, io.ErrUnexpectedEOF},
		{"pings and pongs", whole(opPing, "") + whole(opPong, "x") + hello, []string{"ping ", "text hello"}, io.ErrUnexpectedEOF},
		{"a close", hello + whole(opClose, closing(1000, "bye")) + hello, []string{"text hello"}, errPeerClosed},
		{"a close without a code", whole(opClose, ""), nil, errPeerClosed},
		{"a close of our own kind", whole(opClose, closing(4000, "")), nil, errPeerClosed},
		{"a close of one byte", whole(opClose, "\x03"), nil, errFraming},
		{"a close that must not be sent", whole(opClose, closing(1006, "")), nil, errFraming},
		{"a close whose text is none", whole(opClose, closing(1000, "\xff")), nil, errFraming},
		{"no mask", "\x81\x02hi", nil, errFraming},
		{"a reserved bit", "\xc1" + hello[1:], nil, errFraming},
		{"an unknown kind of message", whole(3, ""), nil, errFraming},
		{"an unknown kind of control frame", whole(11, ""), nil, errFraming},
		{"a control frame in fragments", sent(false, opPing, ""), nil, errFraming},
		{"a long control frame", whole(opPing, long[:126]), nil, errFraming},
		{"the end of nothing", whole(opContinuation, ""), nil, errFraming},
		{"a message in a message", sent(false, opText, "one ") + hello, nil, errFraming},
		{"a message above the limit", whole(opText, longer+long+long+long+long+long), nil, errMonstrous},
		{"fragments above the limit", sent(false, opText, longer) + sent(false, opContinuation, longer), nil, errMonstrous},
		{"as long as can be said", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", nil, errMonstrous},
		{"cut off in a header", hello + hello[:1], []string{"text hello"}, io.ErrUnexpectedEOF},
		{"cut off in a payload", hello + hello[:8], []string{"text hello"}, io.ErrUnexpectedEOF},
	} {
		for _, size := range []int{1, 7, 100, 1 << 20} {
			got, err := reads(c.wire, size)
			if !errors.Is(err, c.err) || strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%s, in pieces of %d: got %.100q and %v, want %.100q and %v", c.name, size, got, err, c.want, c.err)
			}
		}
	}
}

func TestWhatIsNotReadOfAMessageIsSkipped(t *testing.T) {
	wire := []byte(sent(false, opText, "one two three") + whole(opPing, "") + whole(opContinuation, "four") + whole(opText, "five") +
		whole(opText, "") + whole(opText, "six"))
	f := frameReader{limit: 100, in: wire, ping: func(string) error { return nil }, fill: func() error { return io.ErrUnexpectedEOF }}
	for i, want := range []string{"one", "fiv", "", "six"} {
		var b [3]byte
		if _, err := f.next(); err != nil {
			t.Fatal(err)
		}
		if n, _ := f.Read(b[:]); string(b[:n]) != want {
			t.Errorf("message %d begins with %q, want %q", i, b[:n], want)
		}
	}
	for range 2 {
		if _, err := f.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v at the end, want the same error each time", err)
		}
	}
}

func TestReadingFramesAllocatesNothing(t *testing.T) {
	wire := []byte(strings.Repeat(whole(opText, strings.Repeat("x", 400)), 5))
	masked := bytes.Clone(wire)
	f := frameReader{limit: 1000}
	f.fill = func() error { copy(wire, masked); f.in = wire; return nil }
	var b [500]byte
	got := testing.AllocsPerRun(100, func() {
		for range 5 {
			if _, err := f.next(); err != nil {
				t.Fatal(err)
			}
			for n, err := 0, error(nil); err == nil; {
				var k int
				if k, err = f.Read(b[n:]); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				n += k
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for five frames, want none", got)
	}
}

// FuzzFrames holds that it does not matter how the bytes come.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(whole(opText, "hello")+whole(opPing, "x")+sent(false, opText, "a")+whole(opContinuation, "b")+whole(opClose, "")), 3)
	f.Add([]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 1)
	f.Fuzz(func(t *testing.T, wire []byte, size int) {
		got, err := reads(string(wire), max(1, size))
		want, all := reads(string(wire), len(wire)+1)
		if strings.Join(got, "|") != strings.Join(want, "|") || !errors.Is(err, all) {
			t.Errorf("in pieces of %d: %q and %v, at once: %q and %v", size, got, err, want, all)
		}
	})
}
