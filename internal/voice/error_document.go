package voice

import (
	"bytes"
	"encoding/json"
)

// maxDocument is the longest document that is detected after audio.
const maxDocument = 8 << 10

// documentError means that the body is a document instead of audio.
type documentError struct {
	reason   string
	document []byte
}

func (e *documentError) Error() string { return e.reason }

// withoutDocument returns the part of audio that is certainly no document: services that fail in the middle of an answer
// append what they have to say to it. Text at the end is held back, until something follows that is no text; what begins
// like a document there and is one at the end is returned as document.
func withoutDocument(b []byte, end bool) (audio, document []byte) {
	text := len(b)
	for text > 0 && len(b)-text < maxDocument && !control(b[text-1]) {
		text--
	}
	for at := text; at < len(b); at++ {
		if !opens(b[at:]) {
			continue
		}
		if !end {
			if len(b)-at >= maxDocument {
				return b, nil
			}
			return b[:at], nil
		}
		if isDocument(b[at:]) {
			return b[:at], b[at:]
		}
	}
	return b, nil
}

func control(c byte) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7F }

// opens reports whether a document may begin with b: an object of JSON, HTML or XML.
func opens(b []byte) bool {
	if len(b) == 1 {
		return b[0] == '{' || b[0] == '<'
	}
	switch b[0] {
	case '{':
		return bytes.IndexByte([]byte("\" \r\n\t"), b[1]) >= 0
	case '<':
		return bytes.IndexByte([]byte("!?hHeE"), b[1]) >= 0
	}
	return false
}

// isDocument reports whether all of b is a document.
func isDocument(b []byte) bool {
	b = bytes.TrimSpace(b)
	const least = 8 // bytes; less may be chance
	if len(b) < least {
		return false
	}
	if b[0] == '{' {
		return json.Valid(b)
	}
	lower := bytes.ToLower(b[:min(len(b), 16)])
	for _, begin := range []string{"<!doctype", "<html", "<?xml", "<error"} {
		if bytes.HasPrefix(lower, []byte(begin)) {
			return b[len(b)-1] == '>'
		}
	}
	return false
}
