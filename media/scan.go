package media

import "bytes"

// scan parses a media message as carriers write it: keys in any order, any white space, strings or numbers, but no escapes,
// no duplicate keys and no nested object besides media. It returns false for everything else, including invalid JSON, and
// leaves m partly filled: the caller must then parse the message with unmarshal, which is slower. unmarshal parses every
// message that scan accepts with the same result.
func (m *message) scan(b []byte) bool {
	*m = message{}
	s := scanner{b: b}
	if !s.next('{') {
		return false
	}
	var seen fields
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "event":
			var event []byte
			event, ok = s.string()
			ok = ok && string(event) == "media" && seen.once(fieldEvent)
		case "streamSid":
			m.streamSID, ok = s.string()
			ok = ok && seen.once(fieldStreamSID)
		case "media":
			ok = m.scanMedia(&s) && seen.once(fieldMedia)
		default:
			_, ok = s.scalar()
		}
		if !ok {
			return false
		}
		if s.next(',') {
			continue
		}
		m.kind = kindMedia
		return s.next('}') && s.end() && seen.has(fieldEvent|fieldMedia)
	}
}

// scanMedia reads the media object.
func (m *message) scanMedia(s *scanner) bool {
	if !s.next('{') {
		return false
	}
	var seen fields
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "track":
			var track []byte
			track, ok = s.string()
			ok = ok && seen.once(fieldTrack)
			m.setTrack(track)
		case "timestamp":
			var ts []byte
			ts, ok = s.scalar()
			ok = ok && seen.once(fieldTimestamp)
			m.timestamp, m.hasTimestamp = parseMillis(ts)
		case "payload":
			m.payload, ok = s.base64()
			ok = ok && seen.once(fieldPayload)
			m.hasPayload = true
		default:
			_, ok = s.scalar()
		}
		if !ok {
			return false
		}
		if s.next(',') {
			continue
		}
		return s.next('}')
	}
}

// fields is a set of known keys.
type fields uint8

const (
	fieldEvent fields = 1 << iota
	fieldStreamSID
	fieldMedia
	fieldTrack
	fieldTimestamp
	fieldPayload
)

// once adds f and reports whether it was new. encoding/json decides which of two values applies.
func (s *fields) once(f fields) bool {
	if *s&f != 0 {
		return false
	}
	*s |= f
	return true
}

func (s fields) has(f fields) bool { return s&f == f }

// A scanner reads tokens of JSON text (RFC 8259).
type scanner struct {
	b []byte
	i int
}

// space skips white space.
func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// next skips white space and then c, if c comes next.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// end reports whether only white space is left.
func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.b)
}

// key reads a string and the colon after it.
func (s *scanner) key() ([]byte, bool) {
	key, ok := s.string()
	return key, ok && s.next(':')
}

// string reads a string of printable ASCII without escapes: anything else is for encoding/json.
func (s *scanner) string() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1 : s.i-1], true
		case c < ' ' || c == '\\' || c >= 0x7F:
			return nil, false
		}
	}
	return nil, false
}

// base64 reads a string that should be base64 without checking every character: decoding does that, and rejects control
// characters except line ends. Unescaped line ends are accepted although JSON forbids them, because shell scripts send them.
func (s *scanner) base64() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	rest := s.b[s.i:]
	n := bytes.IndexByte(rest, '"')
	if n < 0 || bytes.IndexByte(rest[:n], '\\') >= 0 {
		return nil, false
	}
	s.i += n + 1
	return rest[:n:n], true
}

// scalar reads a string, a number or a literal. It returns a string without its quotes, a number as it is
// written, and nothing for a literal.
func (s *scanner) scalar() ([]byte, bool) {
	s.space()
	if s.i == len(s.b) {
		return nil, false
	}
	switch c := s.b[s.i]; {
	case c == '"':
		return s.string()
	case c >= '0' && c <= '9':
		return s.integer()
	case c == 't':
		return nil, s.literal("true")
	case c == 'f':
		return nil, s.literal("false")
	case c == 'n':
		return nil, s.literal("null")
	}
	return nil, false
}

// integer reads digits. Signs, fractions, exponents and leading zeros are for encoding/json: after them the
// next token does not fit.
func (s *scanner) integer() ([]byte, bool) {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	n := s.b[start:s.i:s.i]
	return n, len(n) == 1 || n[0] != '0'
}

func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}
