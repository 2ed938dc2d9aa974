package actions

import (
	"bytes"
	"encoding/json"
	"strings"
)

const (
	briefLimit = 2048 // bytes of an action's JSON that are kept
	briefField = 256  // bytes of a field's, where the whole is longer
	briefText  = 100  // characters of a longer string
)

// brief returns raw if it is short, and otherwise something like it that is: an object with its long strings cut, or else the
// beginning of raw as a string. It is always a JSON value, whatever raw is, and shares no memory with it.
func brief(raw []byte) []byte {
	valid := len(raw) <= MaxBody && json.Valid(raw)
	if valid && len(raw) <= briefLimit {
		return bytes.ToValidUTF8(raw, []byte("\ufffd"))
	}
	if valid && raw[0] == '{' {
		fields, _ := split(raw)
		if b := briefObject(fields); len(b) <= briefLimit {
			return b
		}
	}
	return cut(string(raw[:min(len(raw), briefLimit)]), briefLimit/8)
}

func briefObject(fields []field) []byte {
	b := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, cut(f.name, briefText)...)
		b = append(b, ':')
		switch {
		case len(f.raw) <= briefField:
			b = append(b, bytes.ToValidUTF8(f.raw, []byte("\ufffd"))...)
		case f.raw[0] == '"':
			b = append(b, cut(unquote(f.raw), briefText)...)
		default:
			b = append(b, cut(string(f.raw[:briefField]), briefText)...)
		}
		if len(b) > briefLimit {
			break
		}
	}
	return append(b, '}')
}

// cut returns the beginning of s as a JSON string.
func cut(s string, most int) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return []byte(`""`)
	}
	return bytes.TrimSpace(b.Bytes())
}
