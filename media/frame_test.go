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
		{"a close whose text is none", whole(opClose, closing(1000, "\xff")), nil, errNotText},
		{"a close whose text ends in a character", whole(opClose, closing(1000, "\xe2\x82")), nil, errNotText},
		{"no mask", "\x81\x02hi", nil, errFraming},
		{"a reserved bit", "\xc1" + hello[1:], nil, errFraming},
		{"an unknown kind of message", whole(3, ""), nil, errFraming},
		{"an unknown kind of control frame", whole(11, ""), nil, errFraming},
		{"a control frame in fragments", sent(false, opPing, ""), nil, errFraming},
		{"a long control frame", whole(opPing, long[:126]), nil, errFraming},
		{"the end of nothing", whole(opContinuation, ""), nil, errFraming},
		{"a message in a message", sent(false, opText, "one ") + hello, nil, errFraming},
		{"a message above the limit", whole(opText, longer+long+long+long+long+long), nil, errTooBig},
		{"fragments above the limit", sent(false, opText, longer) + sent(false, opContinuation, longer), nil, errTooBig},
		{"as long as can be said", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", nil, errTooBig},
		{"longer than can be said", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", nil, errFraming},
		{"two bytes of length for 125", "\x81\xfe\x00\x7d\x00\x00\x00\x00" + long[:125], nil, errFraming},
		{"two bytes of length for nothing", "\x81\xfe\x00\x00\x00\x00\x00\x00", nil, errFraming},
		{"eight bytes of length for 65535", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00" + longer, nil, errFraming},
		{"eight bytes of length for 5", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello", nil, errFraming},
		{"a ping with two bytes of length", "\x89\xfe\x00\x05\x00\x00\x00\x00hello", nil, errFraming},
		{"the shortest with two bytes", whole(opText, long[:126]), []string{"text " + long[:126]}, io.ErrUnexpectedEOF},
		{"the longest with one byte", whole(opText, long[:125]), []string{"text " + long[:125]}, io.ErrUnexpectedEOF},
		{"the longest with two bytes", whole(opText, longer[:65535]), []string{"text " + longer[:65535]}, io.ErrUnexpectedEOF},
		{"the shortest with eight bytes", whole(opText, longer[:65536]), []string{"text " + longer[:65536]}, io.ErrUnexpectedEOF},
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

// Autobahn's cases 6: text is UTF-8, wherever frames and reads cut it.
func TestATextThatIsNotUTF8EndsTheConnection(t *testing.T) {
	euro := "\xe2\x82\xac"
	for _, c := range []struct {
		name string
		wire string
		want string // the message; "-" for none
	}{
		{"characters of each length", whole(opText, "a\u00fc"+euro+"\U0001d11e"), "a\u00fc" + euro + "\U0001d11e"},
		{"a character in two fragments", sent(false, opText, euro[:1]) + whole(opContinuation, euro[1:]), euro},
		{"a character in three fragments", sent(false, opText, "x"+euro[:1]) + sent(false, opContinuation, euro[1:2]) + whole(opContinuation, euro[2:]), "x" + euro},
		{"a character around a ping", sent(false, opText, euro[:2]) + whole(opPing, "\xff") + whole(opContinuation, euro[2:]), euro},
		{"noncharacters and the last code point", whole(opText, "\ufffe\U0010ffff"), "\ufffe\U0010ffff"},
		{"any bytes in a binary message", whole(opBinary, "\xff\xfe"), "\xff\xfe"},
		{"any bytes in fragments of a binary message", sent(false, opBinary, "\xff") + whole(opContinuation, "\xfe"), "\xff\xfe"},
		{"a byte that is never in UTF-8", whole(opText, "x\xff"), "-"},
		{"a continuation without a beginning", whole(opText, "\x80x"), "-"},
		{"an overlong slash", whole(opText, "\xc0\xaf"), "-"},
		{"a surrogate", whole(opText, "\xed\xa0\x80"), "-"},
		{"above the last code point", whole(opText, "\xf4\x90\x80\x80"), "-"},
		{"the end in a character", whole(opText, "x"+euro[:2]), "-"},
		{"the end in a character, after fragments", sent(false, opText, euro[:1]) + sent(false, opContinuation, euro[1:2]) + whole(opContinuation, ""), "-"},
		{"a fragment that goes on wrongly", sent(false, opText, euro[:2]) + whole(opContinuation, "x"), "-"},
		{"wrong before the message is over", sent(false, opText, "\xed\xa0"), "-"},
	} {
		for _, size := range []int{1, 2, 3, 1 << 20} {
			f := frameReader{limit: 1000, ping: func(string) error { return nil }}
			wire := c.wire
			f.fill = func() error {
				if wire == "" {
					return io.ErrUnexpectedEOF
				}
				n := min(size, len(wire))
				f.in, wire = []byte(wire[:n]), wire[n:]
				return nil
			}
			_, err := f.next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(&f)
			if c.want == "-" && !errors.Is(err, errNotText) || c.want != "-" && (err != nil || string(got) != c.want) {
				t.Errorf("%s, in pieces of %d: got %q and %v, want %q", c.name, size, got, err, c.want)
			}
			skipped := frameReader{limit: 1000, in: []byte(c.wire), ping: f.ping, fill: func() error { return io.ErrUnexpectedEOF }}
			_, _ = skipped.next()
			if _, err := skipped.next(); errors.Is(err, errNotText) != (c.want == "-") {
				t.Errorf("%s, skipped: got %v", c.name, err)
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
