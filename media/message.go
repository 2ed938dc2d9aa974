package media

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// kind is the type of a message from the carrier (Twilio Media Streams: the event field).
type kind uint8

const (
	kindUnknown kind = iota
	kindConnected
	kindStart
	kindMedia
	kindDTMF
	kindMark
	kindStop
)

// errMalformed means that a message does not have the fields of its event. Such messages are skipped.
var errMalformed = errors.New("media: malformed message")

// A message is one message from the carrier. One value is reused for all messages of a stream; its slices point into the
// parsed buffer or into separate memory.
type message struct {
	kind      kind
	streamSID []byte // nil where the message has none

	// media
	track        Track
	badTrack     bool  // the track's name is unknown
	timestamp    int64 // milliseconds since the stream began
	hasTimestamp bool
	payload      []byte // base64
	hasPayload   bool   // false also if the payload is not a string

	text  string // dtmf: the digit; mark: the name
	start *Start // start
}

// parse parses one message and resets all fields of the previous one. Media messages as carriers write them are parsed
// without allocation; all others by encoding/json.
func (m *message) parse(b []byte) error {
	if m.scan(b) {
		return nil
	}
	return m.unmarshal(b)
}

// object is a JSON object whose values are decoded one by one, so that one wrong type does not affect the others. Names are
// compared exactly, unlike the fields of a struct.
type object map[string]json.RawMessage

func parseObject(b []byte) (object, bool) {
	var o object
	if err := json.Unmarshal(b, &o); err != nil || o == nil {
		return nil, false
	}
	return o, true
}

// text returns a field that should be a string and may be a number or a boolean, as it is written.
// Absent, null and composite values give false.
func (o object) text(name string) (string, bool) {
	raw := o[name]
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		return o.string(name)
	case '{', '[', 'n':
		return "", false
	}
	return string(raw), true
}

// string returns a field that must be a string.
func (o object) string(name string) (string, bool) {
	raw := o[name]
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}

// object returns a field that must be an object.
func (o object) object(name string) (object, bool) { return parseObject(o[name]) }

// unmarshal parses any message with encoding/json.
func (m *message) unmarshal(b []byte) error {
	*m = message{}
	o, ok := parseObject(b)
	if !ok {
		return fmt.Errorf("%w: not a JSON object", errMalformed)
	}
	if sid, ok := o.text("streamSid"); ok {
		m.streamSID = []byte(sid)
	}
	event, _ := o.string("event")
	switch event {
	case "connected":
		m.kind = kindConnected
	case "start":
		m.kind = kindStart
		return m.unmarshalStart(o)
	case "media":
		m.kind = kindMedia
		return m.unmarshalMedia(o)
	case "dtmf":
		m.kind = kindDTMF
		return m.unmarshalDTMF(o)
	case "mark":
		m.kind = kindMark
		return m.unmarshalMark(o)
	case "stop":
		m.kind = kindStop
	}
	return nil
}

func (m *message) unmarshalMedia(o object) error {
	media, ok := o.object("media")
	if !ok {
		return fmt.Errorf("%w: media without its object", errMalformed)
	}
	track, _ := media.text("track")
	m.setTrack([]byte(track))
	if ts, ok := media.text("timestamp"); ok {
		m.timestamp, m.hasTimestamp = parseMillis([]byte(ts))
	}
	if payload, ok := media.string("payload"); ok {
		m.payload, m.hasPayload = []byte(payload), true
	}
	return nil
}

func (m *message) unmarshalDTMF(o object) error {
	dtmf, ok := o.object("dtmf")
	if !ok {
		return fmt.Errorf("%w: dtmf without its object", errMalformed)
	}
	m.text, _ = dtmf.text("digit")
	if n, ok := parseWhole(m.text); ok && n <= 9 { // a number, perhaps 5.0
		m.text = strconv.Itoa(n)
	}
	if !validDigit(m.text) {
		return fmt.Errorf("%w: dtmf without a digit", errMalformed)
	}
	track, _ := dtmf.text("track")
	m.setTrack([]byte(track))
	return nil
}

func (m *message) unmarshalMark(o object) error {
	mark, ok := o.object("mark")
	if !ok {
		return fmt.Errorf("%w: mark without its object", errMalformed)
	}
	if m.text, ok = mark.text("name"); !ok || m.text == "" {
		return fmt.Errorf("%w: mark without a name", errMalformed)
	}
	return nil
}

func (m *message) setTrack(name []byte) {
	var ok bool
	m.track, ok = parseTrack(name)
	m.badTrack = !ok
}

// validDigit reports whether s is one key of a telephone (ITU-T Q.23).
func validDigit(s string) bool {
	if len(s) != 1 {
		return false
	}
	c := s[0]
	return c >= '0' && c <= '9' || c == '*' || c == '#' || c >= 'A' && c <= 'D'
}
