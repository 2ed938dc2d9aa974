package events

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hidden reports whether a character is not seen as itself where text is shown: control characters (C0, DEL, C1), the ends
// of lines and paragraphs, those that change the direction of writing, those without width, fillers, and those that are
// not assigned. What callers say and what carriers call things is foreign: such characters could steer a terminal, end a
// line early or hide text.
func Hidden(r rune) bool {
	return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// MapHidden returns text with each hidden character r replaced by change(r), and without r if that is negative. Joiners
// and variation selectors stay where scripts and emoji need them: behind a character that is not Latin, and behind digits
// and signs of keycaps. Bytes that are not UTF-8 count as U+FFFD.
func MapHidden(text string, change func(r rune) rune) string {
	before := rune(-1)
	return strings.Map(func(r rune) rune {
		if !Hidden(r) || joins(before, r) {
			before = r
			return r
		}
		before = -1
		return change(r)
	}, text)
}

// joins reports whether r is a joiner or a variation selector that changes how the character before it is shown.
func joins(before, r rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return before >= 0x300 && !Hidden(before) || isVariation(before)
	case isVariation(r):
		return before >= 0x300 && !Hidden(before) || before > 0 && strings.ContainsRune("0123456789#*©®", before)
	}
	return false
}

func isVariation(r rune) bool { return unicode.Is(unicode.Variation_Selector, r) }

// EscapeHidden returns JSON with each hidden character escaped: the same JSON value, and nothing in it
// that a terminal obeys or that ends a line. White space between values stays. It returns json itself if there is nothing
// to escape.
func EscapeHidden(json []byte) []byte {
	i := 0
	for ; i < len(json); i++ {
		if c := json[i]; c >= 0x7f || c < ' ' && !isSpace(rune(c)) {
			break
		}
	}
	if i == len(json) {
		return json
	}
	escaped := append(make([]byte, 0, len(json)+32), json[:i]...)
	changed := false
	for i < len(json) {
		r, size := utf8.DecodeRune(json[i:])
		if invalid := r == utf8.RuneError && size == 1; !invalid && (isSpace(r) || !Hidden(r)) {
			escaped = append(escaped, json[i:i+size]...)
		} else {
			escaped, changed = appendEscape(escaped, r), true
		}
		i += size
	}
	if !changed {
		return json
	}
	return escaped
}

// isSpace reports whether r is white space of JSON.
func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }

// appendEscape appends r as JSON escapes it (RFC 8259 section 7).
func appendEscape(b []byte, r rune) []byte {
	if r < 0x10000 {
		return fmt.Appendf(b, `\u%04x`, r)
	}
	r -= 0x10000
	return fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
}
