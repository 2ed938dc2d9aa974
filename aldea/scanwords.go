package aldea

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// scanWords reads a list of words the way recognizers write it, [[text, start_ms, end_ms], …]. It answers false to
// anything else, which is for encoding/json to read. The list is valid JSON already.
func scanWords(data []byte) ([]Word, bool) {
	s := wordScanner(data)
	if !s.next('[') {
		return nil, false
	}
	words := make([]Word, 0, bytes.Count(data, []byte("["))-1)
	for {
		w, ok := s.word()
		if !ok {
			return nil, false
		}
		words = append(words, w)
		if s.next(',') {
			continue
		}
		return words, s.next(']') && len(bytes.TrimSpace(s)) == 0
	}
}

// A wordScanner is the rest of the list.
type wordScanner []byte

// next takes white space and c off, if c comes next.
func (s *wordScanner) next(c byte) bool {
	b := bytes.TrimLeft(*s, " \t\r\n")
	if len(b) == 0 || b[0] != c {
		return false
	}
	*s = b[1:]
	return true
}

func (s *wordScanner) word() (w Word, ok bool) {
	if !s.next('[') || !s.next('"') {
		return w, false
	}
	end := bytes.IndexByte(*s, '"')
	if end < 0 {
		return w, false
	}
	text := (*s)[:end]
	*s = (*s)[end+1:]
	if bytes.IndexByte(text, '\\') >= 0 || !utf8.Valid(text) {
		return w, false
	}
	w.Text = string(text)
	if w.Start, ok = s.millis(); !ok {
		return w, false
	}
	if w.End, ok = s.millis(); !ok {
		return w, false
	}
	return w, s.next(']')
}

// millis reads a comma and a number of milliseconds.
func (s *wordScanner) millis() (time.Duration, bool) {
	if !s.next(',') {
		return 0, false
	}
	b := bytes.TrimLeft(*s, " \t\r\n")
	n := bytes.IndexAny(b, ",] \t\r\n")
	if n <= 0 {
		return 0, false
	}
	value, err := strconv.ParseFloat(string(b[:n]), 64)
	*s = b[n:]
	return duration(value, time.Millisecond), err == nil
}
