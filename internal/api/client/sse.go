package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// largestMessage bounds a message of a stream, in bytes. The longest event is call.ended, which holds a whole transcript.
const largestMessage = 16 << 20

// ErrTooLong means that a message of a stream has more than 16 MiB.
var ErrTooLong = errors.New("client: message too long")

// A Message is one message of a stream: an event, or a comment such as the heartbeat.
type Message struct {
	// ID is the last position in the journal that the stream told: that of this event if it is a stored one.
	ID string
	// Type is the event's type.
	Type string
	// Data is the event's JSON.
	Data []byte
	// Comment is what a comment says, if this is one; all else is empty then.
	Comment string
}

// A reader reads server-sent events as WHATWG's HTML standard describes them.
type reader struct {
	in     *bufio.Reader
	lastID string        // of the last complete message
	retry  time.Duration // what the server asks to wait before connecting again, or zero

	id       string // becomes lastID
	event    string
	data     []byte
	sawCR    bool // the line before ended with CR: a LF that follows belongs to it
	begun    bool // the first line was read
	consumed int  // of the present message
}

func newReader(r io.Reader) *reader { return &reader{in: bufio.NewReader(r)} }

// next returns the next event or comment. Its error is io.EOF at the end of the stream; what was not complete then is
// lost, as the standard wants it.
func (r *reader) next() (Message, error) {
	for {
		line, err := r.line()
		if err != nil {
			return Message{}, err
		}
		if len(line) == 0 {
			if m, ok := r.dispatch(); ok {
				return m, nil
			}
			continue
		}
		if comment, ok := bytes.CutPrefix(line, []byte(":")); ok {
			return Message{Comment: strings.ToValidUTF8(string(bytes.TrimPrefix(comment, []byte(" "))), "\uFFFD")}, nil
		}
		r.field(line)
	}
}

// dispatch ends a message at an empty line. Without data it is none, but its id counts.
func (r *reader) dispatch() (Message, bool) {
	r.lastID = r.id
	m := Message{ID: r.lastID, Type: r.event, Data: bytes.TrimSuffix(r.data, []byte("\n"))}
	some := len(r.data) > 0
	r.event, r.data, r.consumed = "", nil, 0
	if m.Type == "" {
		m.Type = "message"
	}
	return m, some
}

// field takes one line of a message.
func (r *reader) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		r.event = string(value)
	case "data":
		r.data = append(append(r.data, value...), '\n')
	case "id":
		if !bytes.ContainsRune(value, 0) {
			r.id = string(value)
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			r.retry = time.Duration(ms) * time.Millisecond
		}
	}
}

// line returns the next line without its end, which is CR, LF or both. It is valid until the next.
func (r *reader) line() ([]byte, error) {
	var line []byte
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			return nil, err
		}
		lf := b == '\n'
		if lf && r.sawCR {
			r.sawCR = false
			continue
		}
		r.sawCR = b == '\r'
		if lf || r.sawCR {
			break
		}
		if r.consumed++; r.consumed > largestMessage {
			return nil, ErrTooLong
		}
		line = append(line, b)
	}
	if !r.begun {
		r.begun = true
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	return line, nil
}
